import { errnoByName, type ErrnoName } from './errno.ts';

export interface CkptErrorOptions {
  /** Byte offset in the image: the base's `total` when it was noticed. */
  readonly position?: number;
  /** Record path, outermost first. */
  readonly path?: readonly string[];
  /** Record type it was noticed in, by number. */
  readonly type?: number;
  /** Field of that record. */
  readonly field?: string;
  readonly cause?: unknown;
}

/** The one error that crosses a package's border: what a system call would have said, where, and why. */
export class CkptError extends Error {
  override readonly name = 'CkptError';
  /** "EINVAL" */
  readonly code: ErrnoName;
  /** Positive number. */
  readonly errno: number;
  /** The sentence alone, with the offending value. */
  readonly sentence: string;
  readonly position: number | undefined;
  readonly path: readonly string[];
  readonly type: number | undefined;
  readonly field: string | undefined;

  constructor(code: ErrnoName, sentence: string, options: CkptErrorOptions = {}) {
    const path = options.path ?? [];
    const at = options.position === undefined ? '' : ` at 0x${options.position.toString(16)}`;
    const within = path.length === 0 ? '' : ` in ${path.join('/')}`;
    super(
      `${code}${at}${within}: ${sentence}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.errno = errnoByName[code];
    this.sentence = sentence;
    this.position = options.position;
    this.path = path;
    this.type = options.type;
    this.field = options.field;
  }

  /** The same error with one more part in front of its path, and what was not known yet. */
  within(part: string, more: CkptErrorOptions = {}): CkptError {
    const position = this.position ?? more.position;
    const type = this.type ?? more.type;
    const field = this.field ?? more.field;
    return new CkptError(this.code, this.sentence, {
      path: [part, ...this.path],
      ...(position === undefined ? {} : { position }),
      ...(type === undefined ? {} : { type }),
      ...(field === undefined ? {} : { field }),
      cause: this.cause ?? this,
    });
  }
}

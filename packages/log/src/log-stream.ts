import { CKPT_DDEFAULT, CKPT_DRW, CkptError } from '@ckpt/format';
import type { CkptFile, Stream } from '@ckpt/io';
import { traceRecord, type Debug } from './debug.ts';
import type { LoggedTask } from './expand.ts';
import { MessageBuffer } from './message-buffer.ts';

/** A stream that messages can be sent about: an image being written or read, and its log. */
export interface LogStream extends Stream {
  /** CKPT_CTX_CHECKPOINT or CKPT_CTX_RESTART: only the first gets error records. */
  readonly kflags: number;
  /** The first error that was told, negative; 0 before. */
  errno: number;
  /** The task that is at work, for `%(T)`. */
  tsk: LoggedTask | undefined;
  readonly logFile: CkptFile | undefined;
  /** The first error of the log file, after which no other is told. */
  logError: CkptError | undefined;
  readonly message: MessageBuffer;
  readonly debug: Debug | undefined;
  /** Is told, a line without its end, what could not be put into the image or the log. */
  readonly notice: ((line: string) => void) | undefined;
}

export interface LogStreamOptions {
  readonly file: CkptFile;
  readonly kflags: number;
  readonly logFile?: CkptFile | undefined;
  readonly tsk?: LoggedTask | undefined;
  readonly notice?: ((line: string) => void) | undefined;
  /** No debug line without it. All classes and pid 0 unless told. */
  readonly debug?: (Partial<Debug> & Pick<Debug, 'print'>) | undefined;
}

/** True when what is written to one lands in the other. */
function sameFile(a: CkptFile, b: CkptFile): boolean {
  return a === b || (a.identity !== undefined && a.identity === b.identity);
}

/**
 * A stream at its start, total 0, no error, nothing to tell.
 * @throws CkptError EINVAL when the log would land inside of the image.
 */
export function createLogStream(options: LogStreamOptions): LogStream {
  const { file, kflags, logFile, tsk, notice, debug: given } = options;
  if (logFile !== undefined && sameFile(file, logFile)) {
    throw new CkptError('EINVAL', 'the log would land inside of the image: they are one file');
  }
  const debug = given && {
    level: given.level ?? CKPT_DDEFAULT,
    pid: given.pid ?? 0,
    print: (line: string) => {
      given.print(line);
    },
  };
  return {
    file,
    total: 0,
    kflags,
    errno: 0,
    tsk,
    logFile,
    logError: undefined,
    message: new MessageBuffer(),
    debug,
    notice,
    ...(debug !== undefined && (debug.level & CKPT_DRW) !== 0 ? { trace: traceRecord } : {}),
  };
}

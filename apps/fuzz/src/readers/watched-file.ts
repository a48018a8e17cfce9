import { CkptError } from '@ckpt/format';
import { MemoryFile, type CkptFile, type Stream } from '@ckpt/io';
import { Failure } from '../campaign.ts';

/** Bytes that a reader may ask for at once, on the word of an image: its trust, then doubled. */
const askMax = 1 << 20;

/** A file in memory that notes what is asked of it. */
export class WatchedFile implements CkptFile {
  readonly access = 'read';
  readonly inner: MemoryFile;
  readonly #length: number;
  /** Most bytes that were asked for at once. */
  #asked = 0;

  /** `slow`: bytes that one read gives at most; 0 for all. */
  constructor(bytes: Uint8Array, slow = 0) {
    this.#length = bytes.length;
    this.inner = new MemoryFile(bytes, slow === 0 ? {} : { readMax: slow });
  }

  read(into: Uint8Array): number {
    if (into.length > this.#asked) this.#asked = into.length;
    return this.inner.read(into);
  }

  write(): number {
    throw new CkptError('EBADF', 'the file is for reading');
  }

  skip(length: number): number {
    return this.inner.skip(length);
  }

  /** @throws Failure when memory was made for more than what the file could hold. */
  check(target: string): void {
    const most = Math.max(askMax, 4 * this.#length);
    if (this.#asked <= most) return;
    const message = `${this.#asked} bytes asked of a file of ${this.#length}`;
    throw new Failure(`memory asked by ${target}`, message);
  }
}

/**
 * Reads through a stream, and checks what every reader of one promises: on success `total` is where
 * the file is, an error stands at `total`, neither is beyond the other.
 */
export function throughStream(
  target: string,
  bytes: Uint8Array,
  slow: number,
  read: (stream: Stream) => void,
): void {
  const file = new WatchedFile(bytes, slow);
  const stream: Stream = { file, total: 0 };
  const wrong = (what: string): Failure =>
    new Failure(
      `${what} in ${target}`,
      `${what}: total ${stream.total}, file at ${file.inner.position}`,
    );
  try {
    read(stream);
    file.check(target);
    if (stream.total !== file.inner.position) throw wrong('total is not the position');
  } catch (error) {
    if (!(error instanceof CkptError)) throw error;
    file.check(target);
    if (error.position !== stream.total) throw wrong(`error at ${error.position ?? 'no position'}`);
    if (stream.total > file.inner.position) throw wrong('total beyond the file');
    throw error;
  }
}

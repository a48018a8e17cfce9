import { ckptKwrite, type CkptFile } from '@ckpt/io';
import type { CopyTarget } from './frozen.ts';

/** An image under way, which knows how many bytes it really has. */
export class OutputFile implements CopyTarget {
  readonly fd?: number;
  readonly #file: CkptFile;
  readonly #counted: CkptFile;
  #length = 0;

  constructor(file: CkptFile) {
    this.#file = file;
    this.#counted = {
      read: (into) => file.read(into),
      write: (from) => {
        const count = file.write(from);
        this.#length += count;
        return count;
      },
    };
    if (file.fd !== undefined) this.fd = file.fd;
  }

  /** Bytes that went out, whoever moved them. */
  get length(): number {
    return this.#length;
  }

  get access(): CkptFile['access'] {
    return this.#file.access;
  }

  get identity(): string | undefined {
    return this.#file.identity;
  }

  read(into: Uint8Array): number {
    return this.#file.read(into);
  }

  /** Writes all of it, however little the file takes at a time. */
  write(from: Uint8Array): number {
    ckptKwrite({ file: this.#counted, total: this.#length }, from);
    return from.length;
  }

  /** Bytes that the kernel put into the descriptor. */
  moved(length: number): void {
    this.#length += length;
  }
}

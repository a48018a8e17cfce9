import type { CkptFile } from '@ckpt/io';
import type { CopyTarget } from './host.ts';

/** An image under way, which knows how many bytes it really has. */
export class OutputFile implements CopyTarget {
  readonly fd?: number;
  readonly #file: CkptFile;
  #length = 0;

  constructor(file: CkptFile) {
    this.#file = file;
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

  write(from: Uint8Array): number {
    const count = this.#file.write(from);
    this.#length += count;
    return count;
  }

  /** Bytes that the kernel put into the descriptor. */
  moved(length: number): void {
    this.#length += length;
  }
}

import { CkptError } from '@ckpt/format';
import type { CkptFile } from './file.ts';

export interface MemoryFileOptions {
  /** Bytes the file may grow to; more is ENOSPC. 1 GiB unless told. */
  readonly lengthMax?: number;
  /** Most bytes that one read returns: makes a file as slow as a pipe. */
  readonly readMax?: number;
  /** Most bytes that one write takes. */
  readonly writeMax?: number;
}

const capacityFirst = 4096;

/** A file in memory, with one position for reading and writing as an open file description has. */
export class MemoryFile implements CkptFile {
  readonly access = 'both';
  #bytes: Uint8Array;
  #length: number;
  #position = 0;
  /** False while the bytes are the caller's. */
  #owned = false;
  readonly #lengthMax: number;
  readonly #readMax: number;
  readonly #writeMax: number;

  /** `bytes` is read in place, and copied before the first write. */
  constructor(bytes: Uint8Array = new Uint8Array(0), options: MemoryFileOptions = {}) {
    this.#bytes = bytes;
    this.#length = bytes.length;
    this.#lengthMax = options.lengthMax ?? 2 ** 30;
    this.#readMax = options.readMax ?? Infinity;
    this.#writeMax = options.writeMax ?? Infinity;
  }

  /** A copy of the content. */
  get bytes(): Uint8Array {
    return new Uint8Array(this.#bytes.subarray(0, this.#length));
  }

  /** Bytes. */
  get length(): number {
    return this.#length;
  }

  /** Bytes from the start. */
  get position(): number {
    return this.#position;
  }

  /** Back to the start: what was written can be read. */
  rewind(): void {
    this.#position = 0;
  }

  read(into: Uint8Array): number {
    const count = Math.min(into.length, this.#length - this.#position, this.#readMax);
    into.set(this.#bytes.subarray(this.#position, this.#position + count));
    this.#position += count;
    return count;
  }

  /** @throws CkptError ENOSPC when the file is full; ENOMEM when the memory is. */
  write(from: Uint8Array): number {
    const count = Math.min(from.length, this.#writeMax, this.#lengthMax - this.#position);
    if (count <= 0 && from.length > 0 && this.#writeMax > 0) {
      throw new CkptError('ENOSPC', `the file is full at ${this.#lengthMax} bytes`);
    }
    this.#reserve(this.#position + count);
    this.#bytes.set(from.subarray(0, count), this.#position);
    this.#position += count;
    this.#length = Math.max(this.#length, this.#position);
    return count;
  }

  skip(length: number): number {
    const count = Math.min(length, this.#length - this.#position);
    this.#position += count;
    return count;
  }

  #reserve(length: number): void {
    if (this.#owned && length <= this.#bytes.length) return;
    const capacity = Math.max(length, Math.min(this.#bytes.length * 2, this.#lengthMax));
    try {
      const grown = new Uint8Array(Math.max(capacity, Math.min(capacityFirst, this.#lengthMax)));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
      this.#owned = true;
    } catch (cause) {
      throw new CkptError('ENOMEM', `no memory for a file of ${length} bytes`, { cause });
    }
  }
}

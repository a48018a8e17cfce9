import { CkptError } from '@ckpt/format';
import type { CkptFile } from '../file.ts';
import { MemoryFile } from '../memory-file.ts';

/** A file that remembers the most memory it was ever given to fill. */
export class MeasuredFile implements CkptFile {
  readonly inner: MemoryFile;
  readMax = 0;

  constructor(bytes: Uint8Array) {
    this.inner = new MemoryFile(bytes);
  }

  read(into: Uint8Array): number {
    this.readMax = Math.max(this.readMax, into.length);
    return this.inner.read(into);
  }

  write(from: Uint8Array): number {
    return this.inner.write(from);
  }
}

/** Zeros to read, all that is written away; more of both than any memory. */
export class EndlessFile implements CkptFile {
  taken = 0;

  read(into: Uint8Array): number {
    into.fill(0);
    return into.length;
  }

  write(from: Uint8Array): number {
    this.taken += from.length;
    return from.length;
  }
}

/** A file that moves one byte at a time, and is interrupted or has nothing every other time. */
export class RestlessFile extends MemoryFile {
  #calls = 0;

  override read(into: Uint8Array): number {
    this.#disturb();
    return super.read(into.subarray(0, 1));
  }

  override write(from: Uint8Array): number {
    this.#disturb();
    return super.write(from.subarray(0, 1));
  }

  #disturb(): void {
    this.#calls++;
    if (this.#calls % 3 === 1) throw new CkptError('EAGAIN', 'nothing now');
    if (this.#calls % 3 === 2) throw new CkptError('EINTR', 'a signal came');
  }
}

/** What was thrown, which must be a CkptError. */
export function refusal(call: () => unknown): CkptError {
  try {
    call();
  } catch (error) {
    if (error instanceof CkptError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** A record as it stands in an image; `length` may lie. */
export function recordBytes(type: number, payload: Uint8Array, length = payload.length + 8) {
  const bytes = new Uint8Array(payload.length + 8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, length, true);
  bytes.set(payload, 8);
  return bytes;
}

/** The parts in a row. */
export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let end = 0;
  for (const part of parts) {
    bytes.set(part, end);
    end += part.length;
  }
  return bytes;
}

/** Byte for byte; of a million bytes an assertion library takes seconds to say that. */
export function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

import { CkptError } from '@ckpt/format';
import { decodeText } from '@ckpt/io';
import { addressMax, AddressSpace } from './address-space.ts';
import type { Arena } from './arena.ts';
import { refuse } from './refuse.ts';

const pathMax = 4096;

/** Memory of a process as system calls read and write it. */
export class UserMemory {
  readonly space: AddressSpace;
  /** Memory that is lent for calls, beside the process's own. */
  arena: Arena | undefined;

  constructor(space: AddressSpace) {
    this.space = space;
  }

  #own(address: bigint, length: number, flag: string): void {
    const end = address + BigInt(length);
    const range = { start: address, end };
    if (end > addressMax || !this.space.allows(range, flag)) {
      refuse('EFAULT', `no access to ${length} bytes at ${address.toString(16)}`);
    }
  }

  /** @throws CkptError EFAULT */
  read(address: bigint, length: number): Uint8Array {
    if (length === 0) return new Uint8Array(0);
    if (this.arena?.has(address) === true) return this.arena.read(address, length);
    this.#own(address, length, 'rd');
    return this.space.read(address, length);
  }

  /** @throws CkptError EFAULT */
  write(address: bigint, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (this.arena?.has(address) === true) {
      this.arena.write(address, bytes);
      return;
    }
    this.#own(address, bytes.length, 'wr');
    this.space.write(address, bytes);
  }

  view(address: bigint, length: number): DataView {
    const bytes = this.read(address, length);
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** Writes what a function sets in so many zeroed bytes. */
  put(address: bigint, length: number, set: (view: DataView) => void): void {
    const bytes = new Uint8Array(length);
    set(new DataView(bytes.buffer));
    this.write(address, bytes);
  }

  /** int */
  getInt(address: bigint): number {
    return this.view(address, 4).getInt32(0, true);
  }

  putInt(address: bigint, value: number): void {
    this.put(address, 4, (view) => {
      view.setInt32(0, value, true);
    });
  }

  /** A C string, without its NUL. @throws CkptError EFAULT, ENAMETOOLONG. */
  string(address: bigint, lengthMax = pathMax): Uint8Array {
    const bytes = this.#upTo(address, lengthMax);
    const end = bytes.indexOf(0);
    if (end < 0) refuse(bytes.length < lengthMax ? 'EFAULT' : 'ENAMETOOLONG', 'a text without end');
    return bytes.slice(0, end);
  }

  text(address: bigint): string {
    return decodeText(this.string(address));
  }

  /** Bytes from an address on, as far as they are there. */
  #upTo(address: bigint, lengthMax: number): Uint8Array {
    if (this.arena?.has(address) === true) return this.arena.rest(address).subarray(0, lengthMax);
    const toPageEnd = Number(4096n - (address % 4096n));
    try {
      return this.read(address, Math.min(lengthMax, toPageEnd + 4096));
    } catch (error) {
      if (!(error instanceof CkptError)) throw error;
      return this.read(address, Math.min(lengthMax, toPageEnd));
    }
  }
}

import { refuse } from './refuse.ts';
import type { Range } from './ranges.ts';

interface Block {
  readonly address: bigint;
  readonly bytes: Uint8Array;
}

/** For the widest type that a call may expect. */
const alignment = 16n;

const after = ({ address, bytes }: Block): bigint => {
  const end = address + BigInt(bytes.length);
  // One byte at least is nobody's: what runs over the end of a block is noticed.
  return end + alignment - (end % alignment);
};

/**
 * Memory of the executor in the process: bytes that calls are given pointers to. Each block is an
 * island; a call that reads or writes over its end gets EFAULT.
 */
export class Arena {
  readonly range: Range;
  readonly #rooms = new Map<string, Block>();
  #lent: Block[] = [];
  #end: bigint;
  /** Where what is lent for one call begins. */
  #floor: bigint;

  constructor(range: Range) {
    this.range = range;
    this.#end = this.#floor = range.start + alignment;
  }

  #allocate(bytes: Uint8Array): Block {
    const block = { address: this.#end, bytes };
    if (after(block) > this.range.end) refuse('E2BIG', 'the executor has no more room');
    this.#end = after(block);
    return block;
  }

  /** Bytes for the next call alone; returns their address. */
  lend(bytes: Uint8Array): bigint {
    const block = this.#allocate(bytes);
    this.#lent.push(block);
    return block.address;
  }

  /** Takes back what was lent. */
  reset(): void {
    this.#lent = [];
    this.#end = this.#floor;
  }

  /** Bytes that stay, zeroed when they are new; returns their address. To be made before a call. */
  room(name: string, size: number): bigint {
    const known = this.#rooms.get(name);
    if (known !== undefined) return known.address;
    if (this.#lent.length > 0) throw new Error('a room is made while bytes are lent');
    const block = this.#allocate(new Uint8Array(size));
    this.#rooms.set(name, block);
    this.#floor = this.#end;
    return block.address;
  }

  /** What stands in a room now. */
  roomBytes(name: string): Uint8Array {
    const block = this.#rooms.get(name);
    if (block === undefined) throw new Error(`there is no room ${name}`);
    return block.bytes;
  }

  #blockAt(address: bigint): Block {
    const inside = ({ address: start, bytes }: Block): boolean =>
      start <= address && address < start + BigInt(bytes.length);
    const block = this.#lent.find(inside) ?? [...this.#rooms.values()].find(inside);
    return block ?? refuse('EFAULT', `nothing was lent at ${address.toString(16)}`);
  }

  has(address: bigint): boolean {
    return address >= this.range.start && address < this.range.end;
  }

  /** @throws CkptError EFAULT over the end of what was lent. */
  read(address: bigint, length: number): Uint8Array {
    const block = this.#blockAt(address);
    const start = Number(address - block.address);
    if (start + length > block.bytes.length) refuse('EFAULT', 'too few bytes were lent');
    return block.bytes.slice(start, start + length);
  }

  /** Bytes from an address to the end of its block. */
  rest(address: bigint): Uint8Array {
    const block = this.#blockAt(address);
    return block.bytes.subarray(Number(address - block.address));
  }

  /** @throws CkptError EFAULT over the end of what was lent. */
  write(address: bigint, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const block = this.#blockAt(address);
    const start = Number(address - block.address);
    if (start + bytes.length > block.bytes.length) refuse('EFAULT', 'too few bytes were lent');
    block.bytes.set(bytes, start);
  }
}

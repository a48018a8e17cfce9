import type { FileStat } from '../file-stat.ts';
import { pageSize } from './address-space.ts';
import { makeDevice } from './device.ts';
import { anonymousStat } from './eventfd.ts';
import type { MemoryObject } from './memory-object.ts';
import type { FileObject, Mapped } from './open-file.ts';
import { refuse, Unmodelled } from './refuse.ts';

/** Struct io_rings of Linux 6.0 and newer: offsets. */
const layout = { sqHead: 0, sqTail: 4, cqHead: 8, cqTail: 12, sqMask: 16, cqMask: 20 } as const;
const sqEntriesAt = 24;
const cqEntriesAt = 28;
const cqesAt = 64;
const cqeSize = 16;
const sqeSize = 64;
/** io_uring_setup(2): what mmap(2) finds at which offset. */
const IORING_OFF_SQES = 0x1000_0000n;

const aligned = (size: number): number => Math.ceil(size / 64) * 64;
const inPages = (size: number): bigint => ((BigInt(size) + pageSize - 1n) / pageSize) * pageSize;

/** Memory that a ring shares with the program. */
class RingMemory {
  readonly inode: bigint;
  readonly bytes: Uint8Array;
  readonly view: DataView;

  constructor(inode: bigint, size: number) {
    this.inode = inode;
    this.bytes = new Uint8Array(Number(inPages(size)));
    this.view = new DataView(this.bytes.buffer);
  }
}

/** A ring of io_uring(7), without requests that take time. */
export class RingFile implements FileObject {
  readonly sqEntries: number;
  readonly cqEntries: number;
  readonly hasArray: boolean;
  readonly #rings: RingMemory;
  readonly #sqes: RingMemory;
  /** Of the kernel: requests begun, completions made. */
  #sqHead = 0;
  #cqTail = 0;

  constructor(inode: bigint, sqEntries: number, cqEntries: number, hasArray: boolean) {
    this.sqEntries = sqEntries;
    this.cqEntries = cqEntries;
    this.hasArray = hasArray;
    this.#rings = new RingMemory(inode, this.arrayAt + (hasArray ? sqEntries * 4 : 0));
    this.#sqes = new RingMemory(inode, sqEntries * sqeSize);
    this.#set(layout.sqMask, sqEntries - 1);
    this.#set(layout.cqMask, cqEntries - 1);
    this.#set(sqEntriesAt, sqEntries);
    this.#set(cqEntriesAt, cqEntries);
  }

  /** Bytes from the start of the memory to the index array. */
  get arrayAt(): number {
    return aligned(cqesAt + this.cqEntries * cqeSize);
  }

  #word(at: number): number {
    return this.#rings.view.getUint32(at, true);
  }

  #set(at: number, value: number): void {
    this.#rings.view.setUint32(at, value, true);
  }

  link(): string {
    return 'anon_inode:[io_uring]';
  }

  stat(): FileStat {
    return anonymousStat(this.#rings.inode);
  }

  lines(): string {
    const hex = (value: number): string => `0x${value.toString(16)}`;
    const fields: readonly (readonly [string, string | number])[] = [
      ['SqMask', hex(this.sqEntries - 1)],
      ['SqHead', this.#word(layout.sqHead)],
      ['SqTail', this.#word(layout.sqTail)],
      ['CachedSqHead', this.#sqHead],
      ['CqMask', hex(this.cqEntries - 1)],
      ['CqHead', this.#word(layout.cqHead)],
      ['CqTail', this.#word(layout.cqTail)],
      ['CachedCqTail', this.#cqTail],
      ['SQEs', (this.#word(layout.sqTail) - this.#sqHead) >>> 0],
      ['CQEs', (this.#cqTail - this.#word(layout.cqHead)) >>> 0],
      ['SqThread', -1],
      ['SqThreadCpu', -1],
      ['SqTotalTime', 0],
      ['SqWorkTime', 0],
      ['UserFiles', 0],
      ['UserBufs', 0],
    ];
    const lines = fields.map(([name, value]) => `${name}:\t${value}\n`);
    return `${lines.join('')}PollList:\nCqOverflowList:\nNAPI:\tdisabled\n`;
  }

  poll(): number {
    return 4;
  }

  map(offset: bigint, length: bigint): Mapped {
    const isSqes = offset === IORING_OFF_SQES;
    if (!isSqes && offset !== 0n) refuse('EINVAL', 'there is nothing at that offset');
    const memory = isSqes ? this.#sqes : this.#rings;
    if (length > BigInt(memory.bytes.length)) refuse('EINVAL', 'longer than the ring');
    return { object: new RingView(memory, offset), flags: ['de', 'mm'], isOfKernel: true };
  }

  /** Begins requests that are queued: those that do nothing, which are complete at once. */
  enter(count: number): number {
    const queued = (this.#word(layout.sqTail) - this.#sqHead) >>> 0;
    const begun = Math.min(count, queued, this.sqEntries);
    for (let index = 0; index < begun; index++) this.#begin();
    this.#set(layout.sqHead, this.#sqHead);
    this.#set(layout.cqTail, this.#cqTail);
    return begun;
  }

  #begin(): void {
    const place = this.#sqHead & (this.sqEntries - 1);
    const index = this.hasArray ? this.#word(this.arrayAt + place * 4) : place;
    if (index >= this.sqEntries) throw new Unmodelled('dropped request');
    const sqe = this.#sqes.bytes.subarray(index * sqeSize, (index + 1) * sqeSize);
    if (sqe.some((byte) => byte !== 0)) throw new Unmodelled('request of io_uring(7) but NOP');
    const unread = (this.#cqTail - this.#word(layout.cqHead)) >>> 0;
    if (unread >= this.cqEntries) throw new Unmodelled('completion that finds no room');
    const cqe = cqesAt + (this.#cqTail & (this.cqEntries - 1)) * cqeSize;
    this.#rings.bytes.fill(0, cqe, cqe + cqeSize);
    this.#sqHead = (this.#sqHead + 1) >>> 0;
    this.#cqTail = (this.#cqTail + 1) >>> 0;
  }
}

/** Memory of a ring as a mapping shows it: at the offset that it was asked for. */
class RingView implements MemoryObject {
  readonly #memory: RingMemory;
  readonly #base: bigint;

  constructor(memory: RingMemory, base: bigint) {
    this.#memory = memory;
    this.#base = base;
  }

  readonly device = makeDevice(0, 16);

  get inode(): bigint {
    return this.#memory.inode;
  }

  mapName(): string {
    return 'anon_inode:[io_uring]';
  }

  has(): boolean {
    return true;
  }

  read(offset: bigint, length: number): Uint8Array {
    const start = Number(offset - this.#base);
    return this.#memory.bytes.slice(start, start + length);
  }

  store(page: bigint, bytes: Uint8Array): void {
    this.#memory.bytes.set(bytes, Number(page * pageSize - this.#base));
  }
}

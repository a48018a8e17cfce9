import type { FileStat } from '../host.ts';
import { pageSize } from './address-space.ts';
import { makeDevice } from './device.ts';
import { anonymousStat } from './eventfd.ts';
import { SharedMemory, type MemoryObject } from './memory-object.ts';
import type { FileObject, Mapped } from './open-file.ts';
import { refuse, Unmodelled } from './system-call.ts';

/** Struct io_rings of Linux 6.0 and newer: offsets. */
const layout = { sqHead: 0, sqTail: 4, cqHead: 8, cqTail: 12, sqMask: 16, cqMask: 20 } as const;
const sqEntriesAt = 24;
const cqEntriesAt = 28;
const cqesAt = 64;
const cqeSize = 16;
export const sqeSize = 64;
/** io_uring_setup(2): what mmap(2) finds at which offset. */
const IORING_OFF_SQES = 0x1000_0000n;

const aligned = (size: number): number => Math.ceil(size / 64) * 64;
const inPages = (size: number): bigint => ((BigInt(size) + pageSize - 1n) / pageSize) * pageSize;

/** Memory that a ring shares with the program, whose pages have a name of their own. */
class RingMemory extends SharedMemory implements MemoryObject {
  override readonly device = makeDevice(0, 16);

  override mapName(): string {
    return 'anon_inode:[io_uring]';
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
    this.#rings = new RingMemory(inode);
    this.#sqes = new RingMemory(inode);
    this.sqEntries = sqEntries;
    this.cqEntries = cqEntries;
    this.hasArray = hasArray;
    this.#set(layout.sqMask, sqEntries - 1);
    this.#set(layout.cqMask, cqEntries - 1);
    this.#set(sqEntriesAt, sqEntries);
    this.#set(cqEntriesAt, cqEntries);
  }

  /** Bytes from the start of the memory to the index array. */
  get arrayAt(): number {
    return aligned(cqesAt + this.cqEntries * cqeSize);
  }

  #word(at: number, memory = this.#rings): number {
    const bytes = memory.read(BigInt(at), 4);
    return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  }

  #put(at: number, bytes: Uint8Array): void {
    const page = BigInt(at) / pageSize;
    const whole = this.#rings.read(page * pageSize, Number(pageSize)).slice();
    whole.set(bytes, at % Number(pageSize));
    this.#rings.store(page, whole);
  }

  #set(at: number, value: number): void {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, value, true);
    this.#put(at, bytes);
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
      ['SQEs', 0],
      ['CQEs', 0],
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
    const whole = this.arrayAt + (this.hasArray ? this.sqEntries * 4 : 0);
    const size = isSqes ? inPages(this.sqEntries * sqeSize) : inPages(whole);
    if (length > size) refuse('EINVAL', 'longer than the ring');
    const object = isSqes ? this.#sqes : this.#rings;
    return { object: new RingView(object, offset), flags: ['de', 'mm'], isOfKernel: true };
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
    const sqe = this.#sqes.read(BigInt(index * sqeSize), sqeSize);
    if (sqe.some((byte) => byte !== 0)) throw new Unmodelled('request of io_uring(7) but NOP');
    const unread = (this.#cqTail - this.#word(layout.cqHead)) >>> 0;
    if (unread >= this.cqEntries) throw new Unmodelled('completion that finds no room');
    this.#put(cqesAt + (this.#cqTail & (this.cqEntries - 1)) * cqeSize, new Uint8Array(cqeSize));
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

  get device(): bigint {
    return this.#memory.device;
  }

  get inode(): bigint {
    return this.#memory.inode;
  }

  mapName(): string {
    return this.#memory.mapName();
  }

  has(): boolean {
    return true;
  }

  read(offset: bigint, length: number): Uint8Array {
    return this.#memory.read(offset - this.#base, length);
  }

  store(page: bigint, bytes: Uint8Array): void {
    this.#memory.store(page - this.#base / pageSize, bytes);
  }
}

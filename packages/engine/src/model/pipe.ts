import type { FileStat } from '../file-stat.ts';
import { S_IFIFO, type Entry } from './file-system.ts';
import type { FileObject, OpenFile } from './open-file.ts';
import { PathFile } from './path-file.ts';
import { refuse, Unmodelled } from './refuse.ts';
import type { Caller, Words } from './system-call.ts';

/** open(2) */
const O_ACCMODE = 3;
const O_WRONLY = 1;
const O_NONBLOCK = 0o4000;
/** poll(2) */
const POLLIN = 0x41;
const POLLOUT = 0x104;
const POLLERR = 8;
const POLLHUP = 0x10;
/** fcntl(2), ioctl(2) */
const F_SETPIPE_SZ = 1031;
const F_GETPIPE_SZ = 1032;
const FIONREAD = 0x541b;
const CAP_SYS_RESOURCE = 24;
/** fs.pipe-max-size */
const capacityMax = 1 << 20;
const capacityDefault = 1 << 16;
const pageSize = 4096;

export const readsFrom = ({ flags }: OpenFile): boolean => (flags & O_ACCMODE) !== O_WRONLY;
export const writesTo = ({ flags }: OpenFile): boolean => (flags & O_ACCMODE) !== 0;

/** What the ends of a pipe share. */
export class PipeRing {
  readonly ends = new Set<OpenFile>();
  bytes = new Uint8Array(0);
  /** Bytes. */
  capacity = capacityDefault;

  write(file: OpenFile, more: Uint8Array): number {
    if (![...this.ends].some(readsFrom)) refuse('EPIPE', 'nobody reads');
    const room = Math.min(this.capacity - this.bytes.length, more.length);
    if (room < more.length && (file.flags & O_NONBLOCK) === 0) {
      throw new Unmodelled(
        `thread that waits: ${more.length} bytes into a pipe with room for ${room}`,
      );
    }
    if (room === 0 && more.length > 0) refuse('EAGAIN', 'the pipe is full');
    const joined = new Uint8Array(this.bytes.length + room);
    joined.set(this.bytes);
    joined.set(more.subarray(0, room), this.bytes.length);
    this.bytes = joined;
    return room;
  }

  poll(file: OpenFile): number {
    const ends = [...this.ends];
    const input = this.bytes.length > 0 ? POLLIN : 0;
    const output = this.bytes.length < this.capacity ? POLLOUT : 0;
    const hangup = ends.some(writesTo) ? 0 : POLLHUP;
    const error = ends.some(readsFrom) ? 0 : POLLERR;
    return (readsFrom(file) ? input | hangup : 0) | (writesTo(file) ? output | error : 0);
  }

  resize({ thread }: Caller, wanted: number): number {
    if (wanted > 2 ** 31) refuse('EINVAL', 'too large a ring');
    const pages = Math.max(1, Math.ceil(wanted / pageSize));
    const capacity = 2 ** Math.ceil(Math.log2(pages)) * pageSize;
    const isMore = capacity > this.capacity && capacity > capacityMax;
    if (isMore && !thread.credentials.can(CAP_SYS_RESOURCE)) refuse('EPERM', 'fs.pipe-max-size');
    if (capacity < this.bytes.length) refuse('EBUSY', 'what is in it does not fit');
    this.capacity = capacity;
    return capacity;
  }

  fcntl(caller: Caller, args: Words): number | undefined {
    if (args.int(1) === F_GETPIPE_SZ) return this.capacity;
    return args.int(1) === F_SETPIPE_SZ ? this.resize(caller, args.unsigned(2)) : undefined;
  }

  ioctl({ process }: Caller, args: Words): number {
    if (args.unsigned(1) !== FIONREAD) refuse('ENOTTY', 'a pipe has no such ioctl');
    process.user.putInt(args.word(2), this.bytes.length);
    return 0;
  }
}

/** An end of pipe(2). */
export class PipeEnd implements FileObject {
  readonly ring: PipeRing;
  readonly #inode: bigint;

  constructor(ring: PipeRing, inode: bigint) {
    this.ring = ring;
    this.#inode = inode;
  }

  /** The same pipe once more: what open(2) of /proc/PID/fd/N leads to. */
  link(): string {
    return `pipe:[${this.#inode.toString()}]`;
  }

  stat(): FileStat {
    const none = { nlink: 1, uid: 0, gid: 0, rdev: 0n, size: 0n, mtime: 0n };
    return { ...none, dev: 0xfn, ino: this.#inode, mode: S_IFIFO | 0o600 };
  }

  write(file: OpenFile, bytes: Uint8Array): number {
    return this.ring.write(file, bytes);
  }

  poll(file: OpenFile): number {
    return this.ring.poll(file);
  }

  fcntl(caller: Caller, _file: OpenFile, args: Words): number | undefined {
    return this.ring.fcntl(caller, args);
  }

  ioctl(caller: Caller, _file: OpenFile, args: Words): number {
    return this.ring.ioctl(caller, args);
  }

  release(file: OpenFile): void {
    this.ring.ends.delete(file);
  }
}

/** A FIFO that was opened by its path. */
export class FifoEnd extends PathFile {
  override readonly isSeekable = false;
  readonly ring: PipeRing;

  constructor(entry: Entry) {
    super(entry);
    this.ring = entry.inode.ring ??= new PipeRing();
  }

  write(file: OpenFile, bytes: Uint8Array): number {
    return this.ring.write(file, bytes);
  }

  poll(file: OpenFile): number {
    return this.ring.poll(file);
  }

  override fcntl(caller: Caller, _file: OpenFile, args: Words): number | undefined {
    return this.ring.fcntl(caller, args);
  }

  ioctl(caller: Caller, _file: OpenFile, args: Words): number {
    return this.ring.ioctl(caller, args);
  }

  override release(file: OpenFile): void {
    super.release(file);
    this.ring.ends.delete(file);
    // What nobody has open any more holds nothing.
    if (this.ring.ends.size === 0) this.inode.ring = undefined;
  }
}

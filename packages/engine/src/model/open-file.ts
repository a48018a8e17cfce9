import type { FileStat } from '../file-stat.ts';
import type { MemoryObject } from './memory-object.ts';
import type { Caller, Words } from './system-call.ts';

/** open(2) of x86-64: every 64-bit process opens so. */
export const O_LARGEFILE = 0o100000;

/** What mmap(2) of a file gives, and flags that the mapping has by itself. */
export interface Mapped {
  readonly object: MemoryObject;
  readonly flags?: readonly string[];
  /** Memory of the kernel's: it alone chooses the address (EINVAL), and it is never code. */
  readonly isOfKernel?: boolean;
}

/** What an open file description leads to; a call that it has not is refused as Linux does. */
export interface FileObject {
  /** As /proc/PID/fd shows it: "/tmp/log", "pipe:[15351]", "anon_inode:[eventfd]". */
  link(): string;
  stat(): FileStat;
  /** Lines that fdinfo has for this kind, with their newlines. */
  lines?(): string;
  /** True for what has an offset. */
  readonly isSeekable?: boolean;
  /** @throws CkptError ENODATA where the model does not know the content. */
  readAt?(offset: bigint, length: number): Uint8Array;
  writeAt?(offset: bigint, bytes: Uint8Array): number;
  /** Of what has no offset. */
  write?(file: OpenFile, bytes: Uint8Array): number;
  /** revents of poll(2). Absent: it cannot be polled. */
  poll?(file: OpenFile): number;
  ioctl?(caller: Caller, file: OpenFile, args: Words): bigint | number;
  /** fcntl(2) of this kind alone; undefined where it has no such command. */
  fcntl?(caller: Caller, file: OpenFile, args: Words): bigint | number | undefined;
  map?(offset: bigint, length: bigint, isShared: boolean): Mapped;
  /** Path of a program that may be executed. */
  program?(): string | undefined;
  /** The last descriptor that led to the description is closed. */
  release?(file: OpenFile): void;
}

/** An open file description: what dup(2) shares. */
export class OpenFile {
  readonly id: number;
  readonly object: FileObject;
  /** As F_GETFL gives them. */
  flags: number;
  /** Bytes. */
  position = 0n;
  /** Who gets signals about it, and which: fcntl(2) F_SETOWN_EX, F_SETSIG. */
  owner = { type: 0, id: 0 };
  signal = 0;
  /** Descriptors that lead to it. */
  references = 0;
  /** Told when it is closed: epolls that watch it. */
  readonly watchers = new Set<{ forget(file: OpenFile): void }>();

  constructor(id: number, object: FileObject, flags: number) {
    this.id = id;
    this.object = object;
    this.flags = flags;
  }

  /** One descriptor less. */
  drop(): void {
    this.references -= 1;
    if (this.references > 0) return;
    for (const watcher of [...this.watchers]) watcher.forget(this);
    this.object.release?.(this);
  }
}

import type { FileStat } from '../file-stat.ts';
import type { FileObject, OpenFile } from './open-file.ts';
import { refuse } from './refuse.ts';

const countMax = 0xffff_ffff_ffff_fffen;
/** poll(2) */
const POLLIN = 1;
const POLLOUT = 4;

/** stat(2) of what has no file behind it. */
export function anonymousStat(ino: bigint): FileStat {
  const none = { nlink: 1, uid: 0, gid: 0, rdev: 0n, size: 0n, mtime: 0n };
  return { ...none, dev: 0x10n, ino, mode: 0o600 };
}

/** Inode that all anonymous descriptions share. */
export const anonymousInode = 1n;

/** A counter of eventfd(2). */
export class EventFile implements FileObject {
  #count: bigint;
  readonly #isSemaphore: boolean;

  constructor(count: bigint, isSemaphore: boolean) {
    this.#count = count;
    this.#isSemaphore = isSemaphore;
  }

  link(): string {
    return 'anon_inode:[eventfd]';
  }

  stat(): FileStat {
    return anonymousStat(anonymousInode);
  }

  lines(): string {
    const count = this.#count.toString(16).padStart(16, ' ');
    const semaphore = this.#isSemaphore ? 1 : 0;
    return `eventfd-count: ${count}\neventfd-id: 0\neventfd-semaphore: ${semaphore}\n`;
  }

  write(_file: OpenFile, bytes: Uint8Array): number {
    if (bytes.length < 8) refuse('EINVAL', 'a count of 8 bytes is written');
    const add = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
    if (add > countMax) refuse('EINVAL', 'more than a counter holds');
    if (this.#count + add > countMax) refuse('EAGAIN', 'the counter is full');
    this.#count += add;
    return 8;
  }

  poll(): number {
    return (this.#count > 0n ? POLLIN : 0) | (this.#count < countMax ? POLLOUT : 0);
  }
}

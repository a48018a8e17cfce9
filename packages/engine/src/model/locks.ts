import { deviceText } from './device.ts';
import type { Inode } from './file-system.ts';
import type { OpenFile } from './open-file.ts';
import { refuse } from './refuse.ts';

/** A lock of a file; `end` is the last byte, all ones for the end of the file. */
export interface FileLock {
  readonly kind: 'FLOCK' | 'POSIX' | 'OFDLCK';
  readonly isExclusive: boolean;
  readonly start: bigint;
  readonly end: bigint;
  /** Through which it was taken. */
  readonly file: OpenFile;
  readonly pid: number;
}

const offsetMax = 0x7fff_ffff_ffff_ffffn;

/** Owners are processes for POSIX locks, descriptions for the others. */
const sameOwner = (a: FileLock, b: FileLock): boolean =>
  a.kind === b.kind && (a.kind === 'POSIX' ? a.pid === b.pid : a.file === b.file);

const conflicts = (a: FileLock, b: FileLock): boolean =>
  (a.kind === 'FLOCK') === (b.kind === 'FLOCK') &&
  !sameOwner(a, b) &&
  (a.isExclusive || b.isExclusive) &&
  a.start <= b.end &&
  b.start <= a.end;

/** What is left of a lock when its owner locks or unlocks a part of it. */
function remainder(lock: FileLock, start: bigint, end: bigint): readonly FileLock[] {
  if (lock.end < start || lock.start > end) return [lock];
  const before = { ...lock, end: start - 1n };
  const after = { ...lock, start: end + 1n };
  return [before, after].filter((part) => part.start <= part.end);
}

/** Gives up a range. */
export function unlock(inode: Inode, gone: FileLock): void {
  const left = inode.locks.flatMap((lock) =>
    sameOwner(lock, gone) ? remainder(lock, gone.start, gone.end) : [lock],
  );
  inode.locks.splice(0, inode.locks.length, ...left);
}

/** @throws CkptError EAGAIN when somebody else has it. */
export function lock(inode: Inode, wanted: FileLock): void {
  if (inode.locks.some((other) => conflicts(other, wanted))) {
    refuse('EAGAIN', 'somebody else has locked it');
  }
  unlock(inode, wanted);
  inode.locks.push(wanted);
}

/** fcntl(2): closing any descriptor of a file drops the process's POSIX locks on it. */
export function dropPosix(inode: Inode, pid: number): void {
  const left = inode.locks.filter((each) => each.kind !== 'POSIX' || each.pid !== pid);
  inode.locks.splice(0, inode.locks.length, ...left);
}

/** Locks that belong to a description end with it. */
export function dropOwn(inode: Inode, file: OpenFile): void {
  const left = inode.locks.filter((each) => each.kind === 'POSIX' || each.file !== file);
  inode.locks.splice(0, inode.locks.length, ...left);
}

/** Lines of fdinfo: locks that were taken through a description (fs/locks.c, lock_get_status). */
export function lockLines(inode: Inode, file: OpenFile): string {
  const own = inode.locks.filter((each) => each.file === file);
  const lines = own.map(({ kind, isExclusive, start, end, pid }, index) => {
    const mode = isExclusive ? 'WRITE' : 'READ';
    const place = `${deviceText(inode.device)}:${inode.inode.toString()}`;
    const owner = kind === 'OFDLCK' ? -1 : pid;
    const last = end === offsetMax ? 'EOF' : end.toString();
    const name = kind.padEnd(6);
    return `lock:\t${index + 1}: ${name} ADVISORY  ${mode} ${owner} ${place} ${start.toString()} ${last}\n`;
  });
  return lines.join('');
}

/** The last byte of what a length says; 0 is to the end. @throws CkptError EINVAL, EOVERFLOW. */
export function lastByte(start: bigint, length: bigint): bigint {
  if (start < 0n || length < 0n) refuse('EINVAL', 'a lock before the start');
  if (length === 0n) return offsetMax;
  if (length > offsetMax - start) refuse('EOVERFLOW', 'a lock beyond the end');
  return start + length - 1n;
}

import { dropPosix, lastByte, lock, unlock, type FileLock } from './locks.ts';
import type { OpenFile } from './open-file.ts';
import { signalMax } from './signals.ts';
import { PathFile } from './path-file.ts';
import type { ModelProcess } from './process.ts';
import { refuse, Unmodelled } from './refuse.ts';
import type { Caller, SystemCalls, Words } from './system-call.ts';

/** fcntl(2) */
const F_DUPFD = 0;
const F_GETFD = 1;
const F_SETFD = 2;
const F_GETFL = 3;
const F_SETFL = 4;
const F_SETLK = 6;
const F_GETOWN = 9;
const F_SETSIG = 10;
const F_GETSIG = 11;
const F_SETOWN_EX = 15;
const F_GETOWN_EX = 16;
/** f_owner_ex: a process group. */
const F_OWNER_PGRP = 2;
const F_OFD_SETLK = 37;
const F_DUPFD_CLOEXEC = 1030;
/** O_APPEND, O_NONBLOCK, O_ASYNC, O_DIRECT, O_NOATIME: what F_SETFL changes. */
const settable = 0o2000 | 0o4000 | 0o20000 | 0o40000 | 0o1000000;
const O_CLOEXEC = 0o2000000;
const O_ACCMODE = 3;
/** sys/file.h */
const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;
const LOCK_UN = 8;
const RLIMIT_NOFILE = 7;

/** Closes a descriptor, and lets go of the locks that go with it. */
function close(process: ModelProcess, fd: number): void {
  const { object } = process.table.at(fd).file;
  if (object instanceof PathFile) dropPosix(object.inode, process.pid);
  process.table.remove(fd);
}

function dup3({ process }: Caller, args: Words): number {
  const [from, to, flags] = [args.int(0), args.int(1), args.int(2)];
  if ((flags & ~O_CLOEXEC) !== 0 || from === to) refuse('EINVAL', 'dup3(2)');
  const { file } = process.table.at(from);
  const before = process.table.has(to) ? process.table.at(to).file.object : undefined;
  process.table.place(to, file, flags !== 0);
  if (before instanceof PathFile) dropPosix(before.inode, process.pid);
  return to;
}

const inodeOf = ({ object }: OpenFile) =>
  object instanceof PathFile ? object.inode : refuse('EBADF', 'it cannot be locked');

/** fcntl(2) F_SETLK and F_OFD_SETLK: struct flock, counted from the start. */
function setLock({ process }: Caller, file: OpenFile, args: Words): number {
  const view = process.user.view(args.word(2), 32);
  const [type, whence] = [view.getInt16(0, true), view.getInt16(2, true)];
  if (whence !== 0) throw new Unmodelled(`lock from ${whence}`);
  const isOfd = args.int(1) === F_OFD_SETLK;
  if (isOfd && view.getInt32(24, true) !== 0) refuse('EINVAL', 'l_pid must be 0');
  const start = view.getBigInt64(8, true);
  const end = lastByte(start, view.getBigInt64(16, true));
  const mode = file.flags & O_ACCMODE;
  if (type === 0 && mode === 1) refuse('EBADF', 'it cannot be read');
  if (type === 1 && mode === 0) refuse('EBADF', 'it cannot be written');
  const kind = isOfd ? 'OFDLCK' : 'POSIX';
  const wanted: FileLock = { kind, isExclusive: type === 1, start, end, file, pid: process.pid };
  if (type < 0 || type > 2) refuse('EINVAL', `a lock of type ${type}`);
  if (type === 2) unlock(inodeOf(file), wanted);
  else lock(inodeOf(file), wanted);
  return 0;
}

function flock({ process }: Caller, args: Words): number {
  const file = process.table.file(args.int(0));
  const how = args.int(1) & ~LOCK_NB;
  if (![LOCK_SH, LOCK_EX, LOCK_UN].includes(how)) refuse('EINVAL', `lock ${how}`);
  const base = { kind: 'FLOCK', start: 0n, end: lastByte(0n, 0n), pid: process.pid } as const;
  const wanted: FileLock = { ...base, isExclusive: how === LOCK_EX, file };
  if (how === LOCK_UN) unlock(inodeOf(file), wanted);
  else lock(inodeOf(file), wanted);
  return 0;
}

function setStatus(file: OpenFile, flags: number): number {
  file.flags = (file.flags & ~settable) | (flags & settable);
  return 0;
}

/** Commands that also a descriptor opened with O_PATH has. */
function ofDescriptor({ process }: Caller, args: Words): number | undefined {
  const descriptor = process.table.at(args.int(0));
  switch (args.int(1)) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC: {
      const least = args.int(2);
      if (least < 0 || BigInt(least) >= process.limits.soft(RLIMIT_NOFILE)) refuse('EINVAL');
      return process.table.add(descriptor.file, args.int(1) === F_DUPFD_CLOEXEC, least);
    }
    case F_GETFD:
      return descriptor.closeOnExec ? 1 : 0;
    case F_SETFD:
      descriptor.closeOnExec = (args.int(2) & 1) !== 0;
      return 0;
    case F_GETFL:
      return descriptor.file.flags;
    default:
      return undefined;
  }
}

/** fcntl(2) F_GETOWN_EX and F_SETOWN_EX: struct f_owner_ex. */
function ownerEx({ process }: Caller, file: OpenFile, args: Words): number {
  if (args.int(1) === F_GETOWN_EX) {
    process.user.put(args.word(2), 8, (view) => {
      view.setInt32(0, file.owner.type, true);
      view.setInt32(4, file.owner.id, true);
    });
    return 0;
  }
  const view = process.user.view(args.word(2), 8);
  const [type, id] = [view.getInt32(0, true), view.getInt32(4, true)];
  if (type < 0 || type > F_OWNER_PGRP) refuse('EINVAL', `an owner of type ${type}`);
  if (id !== process.pid && !process.threads.has(id)) refuse('ESRCH', `no ${id}`);
  file.owner = { type, id };
  return 0;
}

function fcntl(caller: Caller, args: Words): bigint | number {
  const done = ofDescriptor(caller, args);
  if (done !== undefined) return done;
  const file = caller.process.table.file(args.int(0));
  switch (args.int(1)) {
    case F_SETFL:
      return setStatus(file, args.int(2));
    case F_SETLK:
    case F_OFD_SETLK:
      return setLock(caller, file, args);
    case F_GETOWN:
      return file.owner.type === F_OWNER_PGRP ? -file.owner.id : file.owner.id;
    case F_GETSIG:
      return file.signal;
    case F_SETSIG:
      if (args.unsigned(2) > signalMax) refuse('EINVAL', `signal ${args.unsigned(2)}`);
      file.signal = args.unsigned(2);
      return 0;
    case F_GETOWN_EX:
    case F_SETOWN_EX:
      return ownerEx(caller, file, args);
    default: {
      const own = file.object.fcntl?.(caller, file, args);
      if (own !== undefined) return own;
      throw new Unmodelled(`fcntl ${args.int(1)} of ${file.object.link()}`);
    }
  }
}

function closeRange({ process }: Caller, args: Words): number {
  const [first, last, flags] = [args.unsigned(0), args.unsigned(1), args.unsigned(2)];
  if (flags !== 0) throw new Unmodelled(`close_range(2) with flags ${flags}`);
  if (first > last) refuse('EINVAL', 'a range that is none');
  for (const fd of process.table.numbers) if (fd >= first && fd <= last) close(process, fd);
  return 0;
}

export const descriptorCalls: SystemCalls = {
  close: ({ process }, args) => {
    close(process, args.int(0));
    return 0;
  },
  close_range: closeRange,
  dup: ({ process }, args) => process.table.add(process.table.at(args.int(0)).file, false),
  dup3,
  fcntl,
  flock,
  ioctl: (caller, args) => {
    const file = caller.process.table.file(args.int(0));
    return file.object.ioctl?.(caller, file, args) ?? refuse('ENOTTY', 'it has no ioctl');
  },
};

import { i32, u32, u64 } from '../field.ts';
import { array, maybe } from '../follow.ts';
import { flags, objref, oneOf, truth } from '../notation.ts';
import { record, struct, type Infer } from '../struct.ts';

export const fileKinds = {
  path: 1,
  pipe: 2,
  fifo: 3,
  socket: 4,
  tty: 5,
  epoll: 6,
  eventfd: 7,
  io_uring: 8,
  timerfd: 9,
  signalfd: 10,
  memfd: 11,
  inherited: 12,
  pidfd: 13,
  inotify: 14,
};

/** asm-generic/fcntl.h; O_RDONLY is 0. */
export const openFlags = {
  O_WRONLY: 1,
  O_RDWR: 2,
  O_APPEND: 0o2000,
  O_NONBLOCK: 0o4000,
  O_DSYNC: 0o10000,
  FASYNC: 0o20000,
  O_DIRECT: 0o40000,
  O_LARGEFILE: 0o100000,
  O_DIRECTORY: 0o200000,
  O_NOFOLLOW: 0o400000,
  O_NOATIME: 0o1000000,
  O_SYNC: 0o4010000,
  O_PATH: 0o10000000,
  O_TMPFILE: 0o20200000,
};

/** struct f_owner_ex of fcntl(2). */
export const ownerTypes = { TID: 0, PID: 1, PGRP: 2 };

/** FLOCK of flock(2), POSIX and OFD of fcntl(2). */
export const lockKinds = { FLOCK: 1, POSIX: 2, OFD: 3 };

export const FileLock = struct('file_lock', 'A lock that is held.', {
  kind: u32('who asked for it how', oneOf(lockKinds)),
  exclusive: u32('1: for writing, nobody else has one', truth),
  start: u64('first byte (fcntl(2))'),
  length: u64('bytes; 0: to the end of the file, whatever that is'),
});
export type FileLock = Infer<typeof FileLock>;

/** An open file description: what dup(2) shares. */
export const File = record(
  'FILE',
  304,
  'An open file description: what dup(2) shares.',
  {
    objref: i32('number of this object', objref),
    kind: u32('what is open', oneOf(fileKinds)),
    flags: u32(
      'fcntl(2), F_GETFL',
      flags(openFlags, { zero: { name: 'O_RDONLY', mask: 0o10000003 }, others: true }),
    ),
    object: i32('objref of PATH, PIPE, SOCKET, EVENTFD, EPOLL_ITEMS, IO_URING ...', objref),
    position: u64('file offset, bytes'),
    end: u32('of a pipe', oneOf({ read: 0, write: 1, both: 2 })),
    trusted: u32('1: the task itself could not open it, only the invoker of the checkpoint', truth),
    locks: u32('locks held through it'),
    owner: i32(
      'who gets signals about it: a pid, thread or group; 0: nobody (fcntl(2) F_SETOWN_EX)',
    ),
    owner_type: u32('what that number is', oneOf(ownerTypes)),
    signal: u32('which signal; 0: SIGIO (fcntl(2) F_SETSIG)'),
  },
  [maybe(array(FileLock, 'if there are locks: taken again when all descriptors are there'))],
);
export type File = Infer<typeof File>;

export const FileDesc = struct('file_desc', 'A descriptor.', {
  fd: i32('number'),
  file: i32('objref of FILE', objref),
  flags: u32('fcntl(2), F_GETFD', flags({ FD_CLOEXEC: 1 })),
});
export type FileDesc = Infer<typeof FileDesc>;

export const FileTable = record(
  'FILE_TABLE',
  301,
  'The descriptors of a task.',
  {
    objref: i32('number of this object', objref),
    count: u32('descriptors'),
  },
  [array(FileDesc, 'ascending by number')],
);
export type FileTable = Infer<typeof FileTable>;

import {
  byteSize,
  flags,
  hex,
  i32,
  octal,
  oneOf,
  record,
  struct,
  u32,
  u64,
  type Infer,
} from '../struct.ts';

/** Raw payload: a path, no NUL. */
export const CKPT_HDR_FILE_NAME = 303;

export const pathFlags = { DELETED: 1, WRITTEN: 2, MAPPED: 4 };

/** A file by its path; FILE_NAME follows. Contents of a deleted file are in the store. */
export const Path = record('PATH', 309, 'A file by its path, which follows as FILE_NAME.', {
  objref: i32('number of this object'),
  flags: u32('DELETED: its content is in the store', flags(pathFlags)),
  mode: u32('st_mode', octal),
  nlink: u32('hard links'),
  device: u64('st_dev', hex),
  inode: u64('st_ino'),
  rdev: u64('st_rdev of a device node', hex),
  size: u64('bytes', byteSize),
  mtime: u64('nanoseconds since the epoch'),
  uid: u32('owner'),
  gid: u32('group'),
  index: u64('first page of the content in the store'),
  pages: u64('pages of content in the store; 0: none'),
});
export type Path = Infer<typeof Path>;

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
  O_SYNC: 0o4000000,
  O_PATH: 0o10000000,
};

/** An open file description: what dup(2) shares. */
export const File = record('FILE', 304, 'An open file description: what dup(2) shares.', {
  objref: i32('number of this object'),
  kind: u32('what is open', oneOf(fileKinds)),
  flags: u32('open(2), F_GETFL', flags(openFlags)),
  object: i32('objref of PATH, PIPE, SOCKET, EVENTFD, EPOLL_ITEMS, IO_URING ...'),
  position: u64('bytes from the start'),
  end: u32('of a pipe: 0 reads, 1 writes'),
  trusted: u32('1: only the invoker of the checkpoint could open it, not the task itself'),
});
export type File = Infer<typeof File>;

export const FileTable = record('FILE_TABLE', 301, 'Descriptors; an ARRAY of file_desc follows.', {
  objref: i32('number of this object'),
  count: u32('descriptors'),
});
export type FileTable = Infer<typeof FileTable>;

export const FileDesc = struct('file_desc', 'A descriptor.', {
  fd: i32('number'),
  file: i32('objref of FILE'),
  flags: u32('fcntl(2) F_GETFD', flags({ FD_CLOEXEC: 1 })),
});
export type FileDesc = Infer<typeof FileDesc>;

/** Bytes of the ring are in the store. */
export const Pipe = record(
  'PIPE',
  310,
  'A pipe whose both ends are inside, with the bytes in flight.',
  {
    objref: i32('number of this object'),
    capacity: u32('ring size, bytes (F_GETPIPE_SZ)', byteSize),
    pending: u32('bytes in flight', byteSize),
    packets: u32('1: O_DIRECT'),
    index: u64('first page of them in the store'),
  },
);
export type Pipe = Infer<typeof Pipe>;

export const Eventfd = record('EVENTFD', 311, 'eventfd(2).', {
  objref: i32('number of this object'),
  semaphore: u32('1: EFD_SEMAPHORE'),
  count: u64('counter'),
});
export type Eventfd = Infer<typeof Eventfd>;

export const EpollItems = record('EPOLL_ITEMS', 308, 'epoll(7); an ARRAY of epoll_item follows.', {
  objref: i32('number of this object'),
  count: u32('items'),
});
export type EpollItems = Infer<typeof EpollItems>;

export const EpollItem = struct('epoll_item', 'A descriptor that is watched.', {
  fd: i32('number given to epoll_ctl(2)'),
  events: u32(
    'EPOLL*',
    flags({
      EPOLLIN: 1,
      EPOLLPRI: 2,
      EPOLLOUT: 4,
      EPOLLERR: 8,
      EPOLLHUP: 0x10,
      EPOLLRDNORM: 0x40,
      EPOLLRDBAND: 0x80,
      EPOLLWRNORM: 0x100,
      EPOLLWRBAND: 0x200,
      EPOLLMSG: 0x400,
      EPOLLRDHUP: 0x2000,
      EPOLLEXCLUSIVE: 0x10000000,
      EPOLLWAKEUP: 0x20000000,
      EPOLLONESHOT: 0x40000000,
      EPOLLET: 0x80000000,
    }),
  ),
  data: u64('of the user', hex),
  file: i32('objref of the FILE, which fd may not lead to any more'),
  _pad: u32('zero'),
});
export type EpollItem = Infer<typeof EpollItem>;

export const ttyFlags = { CONTROLLING: 1 };

/** A terminal that the task was started from: the invoker's own at restart. */
export const Tty = record(
  'TTY',
  306,
  'A terminal; its path follows as FILE_NAME, its termios as BUFFER.',
  {
    objref: i32('number of this object'),
    flags: u32('CONTROLLING: the controlling terminal of its session', flags(ttyFlags)),
    rdev: u64('device', hex),
  },
);
export type Tty = Infer<typeof Tty>;

export const IoUring = record(
  'IO_URING',
  312,
  'An idle io_uring(7); the ring memory follows as BUFFER.',
  {
    objref: i32('number of this object'),
    setup_flags: u32('IORING_SETUP_*', flags({ CQSIZE: 8, NO_SQARRAY: 0x10000, CLAMP: 0x10 })),
    sq_entries: u32('submission entries'),
    cq_entries: u32('completion entries'),
    sq_head: u32('counter'),
    sq_tail: u32('counter'),
    cq_head: u32('counter'),
    cq_tail: u32('counter'),
    ring_address: u64('mapping of the rings; 0: not mapped', { kind: 'address' }),
    ring_size: u64('bytes', byteSize),
    sqes_address: u64('mapping of the entries; 0: not mapped', { kind: 'address' }),
    sqes_size: u64('bytes', byteSize),
    inode: u64('of the anonymous file: tells its mappings'),
  },
);
export type IoUring = Infer<typeof IoUring>;

import type { Argument } from '@ckpt/engine';
import { cString } from '../procfs/text.ts';
import { devices, fifo, home, library, logs } from './machine.ts';
import { Maker } from './maker.ts';

/** open(2) of x86-64. */
const O_RDONLY = 0;
const O_WRONLY = 1;
const O_RDWR = 2;
const O_CREAT_EXCL = 0o300;
const O_APPEND = 0o2000;
const O_NONBLOCK = 0o4000;
const O_DIRECTORY = 0o200000;
const O_CLOEXEC = 0o2000000;
const O_PATH = 0o10000000;
const AT_FDCWD = -100;
/** fcntl(2) */
const F_SETLK = 6;
const F_OFD_SETLK = 37;
const F_SETPIPE_SZ = 1031;

type Make = (maker: Maker) => void;

const closes = (maker: Maker): number => (maker.once(2) ? O_CLOEXEC : 0);

function open(maker: Maker, path: string, flags: number): bigint {
  return maker.must('openat', [AT_FDCWD, { in: cString(path) }, flags | closes(maker), 0o644]);
}

const intsOf = (bytes: Uint8Array | undefined): readonly [number, number] => {
  const view = new DataView((bytes ?? new Uint8Array(8)).buffer, bytes?.byteOffset ?? 0);
  return [view.getInt32(0, true), view.getInt32(4, true)];
};

/** Locks of all kinds, on different files: one kind may not get in the other's way. */
function lockFile(maker: Maker, fd: bigint): void {
  const type = maker.below(2);
  const range = Maker.words(BigInt(type), BigInt(maker.below(100)), BigInt(maker.below(50)), 0n);
  const kind = maker.below(3);
  if (kind === 0) maker.try('flock', [fd, (type === 1 ? 2 : 1) | 4]);
  else maker.try('fcntl', [fd, kind === 1 ? F_SETLK : F_OFD_SETLK, { in: range }]);
}

function regular(maker: Maker): void {
  const path = maker.pick([logs[0] ?? '', logs[1] ?? '']);
  const more = maker.pick([0, O_APPEND, O_NONBLOCK]);
  const fd = open(maker, path, maker.pick([O_RDWR, O_RDONLY, O_WRONLY]) | more);
  if (maker.once(2)) maker.must('lseek', [fd, maker.below(20_000), 0]);
  if (maker.once(4)) lockFile(maker, fd);
}

function deleted(maker: Maker): void {
  const path = `${home}/deleted-${maker.process.table.numbers.length}`;
  const fd = open(maker, path, O_RDWR | O_CREAT_EXCL);
  const bytes = maker.bytes(maker.pick([0, 100, 5000]));
  maker.must('write', [fd, { in: bytes }, bytes.length]);
  maker.must('lseek', [fd, maker.below(bytes.length + 1), 0]);
  if (maker.once(3)) open(maker, path, O_RDONLY | O_NONBLOCK);
  maker.must('fchmod', [fd, maker.pick([0o644, 0o600, 0o640])]);
  maker.must('unlink', [{ in: cString(path) }]);
}

/** memfd_create(2), fcntl(2) */
const F_ADD_SEALS = 1033;

/** Memory that has no name, with a hole and some seals. */
function memfd(maker: Maker): void {
  const name = { in: cString(maker.pick(['', 'buffer', 'a b'])) };
  const fd = maker.must('memfd_create', [name, maker.below(4)]);
  const bytes = maker.bytes(maker.pick([0, 100, 5000]));
  if (bytes.length > 0) maker.must('pwrite64', [fd, { in: bytes }, bytes.length, 8192]);
  if (maker.once(2)) maker.must('ftruncate', [fd, 20_000]);
  if (maker.once(3)) again(maker, Number(fd), maker.pick([O_RDONLY, O_RDWR | O_APPEND]));
  if (maker.once(3)) maker.try('fcntl', [fd, F_ADD_SEALS, maker.below(64)]);
}

function special(maker: Maker): void {
  const path = maker.pick([devices[0] ?? '', devices[1] ?? '', home, library]);
  if (path === home) open(maker, path, maker.pick([O_RDONLY | O_DIRECTORY, O_PATH]));
  else open(maker, path, maker.pick([O_RDONLY, O_PATH]));
}

function again(maker: Maker, fd: number, flags: number): void {
  open(maker, `/proc/self/fd/${fd}`, flags);
}

function pipe(maker: Maker): void {
  const [ends] = maker.try('pipe2', [{ out: 8 }, maker.pick([0, O_CLOEXEC, O_NONBLOCK])]).out;
  const [read, write] = intsOf(ends);
  if (maker.once(3)) maker.must('fcntl', [write, F_SETPIPE_SZ, 1 << (12 + maker.below(8))]);
  const bytes = maker.bytes(maker.pick([0, 9, 4096]));
  if (bytes.length > 0) maker.try('write', [write, { in: bytes }, bytes.length]);
  if (maker.once(3)) again(maker, read, O_RDONLY | O_NONBLOCK);
  if (maker.once(3)) again(maker, read, O_RDWR);
  // Half a pipe, whose other end nobody has: what nobody can read any more is not carried.
  else if (maker.once(4)) maker.must('close', [bytes.length > 0 ? write : read]);
}

/** An end of a pipe that another process holds, too. */
function joined(maker: Maker): void {
  const inode = 5000 + maker.process.table.numbers.length;
  const [flags, mode] = maker.pick([
    [O_RDONLY, O_WRONLY],
    [O_WRONLY, O_RDONLY],
    [O_RDWR, O_RDWR],
  ]);
  const holding = { pid: inode, startTime: maker.word(), name: 'tee', fd: maker.below(9), flags };
  maker.process.machine.outside.add(`pipe:[${inode}]`, [holding]);
  open(maker, `/proc/${inode}/fd/${holding.fd}`, mode | maker.pick([0, O_NONBLOCK]));
}

function named(maker: Maker): void {
  const both = open(maker, fifo, O_RDWR);
  if (maker.once(2)) open(maker, fifo, O_RDONLY);
  if (maker.once(2)) open(maker, fifo, O_WRONLY | O_NONBLOCK);
  const bytes = maker.bytes(maker.below(20));
  if (bytes.length > 0) maker.must('write', [both, { in: bytes }, bytes.length]);
}

function counter(maker: Maker): void {
  const fd = maker.must('eventfd2', [maker.below(100), maker.pick([0, 1, O_NONBLOCK, O_CLOEXEC])]);
  const most = Maker.words(0xffff_ffff_ffff_ff00n);
  if (maker.once(6)) maker.must('write', [fd, { in: most }, 8]);
}

function timer(maker: Maker): void {
  const fd = maker.must('timerfd_create', [maker.pick([1, 0, 7]), maker.pick([0, O_NONBLOCK])]);
  const spec = Maker.words(BigInt(maker.below(3)), 5n, BigInt(1 + maker.below(1000)), 7n);
  if (maker.once(2)) maker.must('timerfd_settime', [fd, 0, { in: spec }, 0]);
}

function receiver(maker: Maker): void {
  const set = { in: Maker.words(maker.word()) };
  maker.must('signalfd4', [-1, set, 8, maker.pick([0, O_NONBLOCK])]);
}

/** struct sockaddr_in of 127.0.0.1, and struct sockaddr_in6 of ::1. */
function address(domain: number, port: number): Uint8Array {
  const bytes = new Uint8Array(domain === 2 ? 16 : 28);
  bytes.set([domain, 0, port >> 8, port & 0xff]);
  if (domain === 2) bytes.set([127, 0, 0, 1], 4);
  else bytes[23] = 1;
  return bytes;
}

const number = (value: number): Argument => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  return { in: bytes };
};

function inet(maker: Maker): void {
  const domain = maker.pick([2, 10]);
  const type = maker.pick([1, 2]);
  const flags = maker.pick([0, O_NONBLOCK, O_CLOEXEC]);
  const fd = maker.must('socket', [domain, type | flags, 0]);
  if (maker.once(2)) maker.must('setsockopt', [fd, 1, 2, number(1), 4]);
  if (maker.once(3)) maker.must('setsockopt', [fd, 1, 9, number(1), 4]);
  if (maker.once(3)) maker.must('setsockopt', [fd, 1, 8, number(50_000), 4]);
  if (maker.once(3)) return;
  const bytes = address(domain, 2000 + maker.process.table.numbers.length);
  maker.must('bind', [fd, { in: bytes }, bytes.length]);
  if (type === 1) maker.must('listen', [fd, maker.pick([5, 511])]);
  else if (maker.once(2)) maker.must('connect', [fd, { in: address(domain, 53) }, bytes.length]);
}

/** A connection to somebody outside: only repair makes one without them. */
function connection(maker: Maker): void {
  const domain = maker.pick([2, 10]);
  const fd = maker.must('socket', [domain, 1 | maker.pick([0, O_NONBLOCK, O_CLOEXEC]), 6]);
  const tcp = (name: number, ...values: readonly number[]): void => {
    const bytes = new Uint8Array(new Int32Array(values).buffer);
    maker.must('setsockopt', [fd, 6, name, { in: bytes }, bytes.length]);
  };
  const bytes = (): void => {
    const content = maker.bytes(maker.pick([0, 1, 4096, 10_000]));
    if (content.length > 0) maker.must('write', [fd, { in: content }, content.length]);
  };
  tcp(19, 1);
  const local = address(domain, 4000 + maker.process.table.numbers.length);
  maker.must('bind', [fd, { in: local }, local.length]);
  tcp(20, 1);
  tcp(21, Number(maker.word() & 0x7fff_ffffn));
  tcp(20, 2);
  tcp(21, -1 - maker.below(20_000));
  maker.must('connect', [fd, { in: address(domain, 53) }, local.length]);
  tcp(22, ...[2, 1460], ...(maker.once(2) ? [3, 0x7_0009, 4, 0] : []), ...[8, 0]);
  tcp(24, maker.below(1 << 30));
  bytes();
  tcp(20, 1);
  bytes();
  tcp(20, 0);
  tcp(29, 1, 2, 3, 4, 5);
  tcp(19, -1);
  if (maker.once(2)) bytes();
  if (maker.once(3)) maker.must('setsockopt', [fd, 1, 2, number(1), 4]);
  if (maker.once(3)) maker.must('setsockopt', [fd, 6, 1, number(1), 4]);
  if (maker.once(4)) maker.must('shutdown', [fd, maker.below(3)]);
}

function pair(maker: Maker): void {
  const flags = maker.pick([0, O_NONBLOCK, O_CLOEXEC]);
  const type = maker.pick([1, 2, 5]);
  const [ends] = maker.try('socketpair', [1, type | flags, 0, { out: 8 }]).out;
  const [one, two] = intsOf(ends);
  for (const end of [one, two]) {
    for (let count = maker.below(4); count > 1; count--) {
      const bytes = maker.bytes(1 + maker.below(5000));
      maker.must('write', [end, { in: bytes }, bytes.length]);
    }
  }
  if (type !== 2 && maker.once(3)) maker.must('shutdown', [one, maker.below(3)]);
}

/** Files and directories, under numbers with gaps between them. */
function watcher(maker: Maker): void {
  const fd = maker.must('inotify_init1', [maker.pick([0, O_NONBLOCK, O_CLOEXEC])]);
  for (const path of [home, library, logs[0] ?? '', '/tmp'].filter(() => maker.once(2))) {
    const name = { in: cString(path) };
    const wd = maker.must('inotify_add_watch', [fd, name, maker.pick([2, 0xfc6, 0x80000100])]);
    if (!maker.once(3)) continue;
    maker.must('inotify_rm_watch', [fd, wd]);
    maker.must('read', [fd, { out: 16 }, 16]);
  }
}

/** Some of what is open, watched; not under a number that leads elsewhere by now. */
function epoll(maker: Maker): void {
  const fd = maker.must('epoll_create1', [closes(maker)]);
  for (const target of maker.process.table.numbers) {
    if (maker.once(2)) continue;
    const event = new Uint8Array(12);
    const view = new DataView(event.buffer);
    view.setUint32(0, maker.pick([1, 0x8000_0001, 0x2005]), true);
    view.setBigUint64(4, BigInt(target) + (maker.once(4) ? maker.word() : 0n), true);
    // Files that cannot be polled are refused (EPERM), circles too.
    maker.try('epoll_ctl', [fd, 1, target, { in: event }]);
  }
}

const kinds: readonly [Make, ...Make[]] = [
  ...([regular, pipe, counter, special, deleted, memfd] as const),
  ...([named, timer, receiver, watcher, inet, pair, epoll, joined] as const),
];

/** Connections: making them takes what only an administrator has. */
export function makeConnections(maker: Maker): void {
  for (let count = maker.below(3); count > 0; count--) connection(maker);
}

/** Descriptors of all kinds; numbers that share a description, and gaps. */
export function makeDescriptors(maker: Maker): void {
  for (let count = maker.below(16); count > 0; count--) maker.pick(kinds)(maker);
  const { table } = maker.process;
  for (const fd of table.numbers) {
    if (maker.once(6)) maker.must('dup3', [fd, 100 + fd, closes(maker)]);
    if (maker.once(20)) maker.must('fcntl', [fd, 2, 1]);
  }
}

import { expect, test } from 'vitest';
import { modelProcess, path, result, room, words } from '../testing/model-process.ts';

const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
const O_PATH = 0o10000000;
const O_CREAT_EXCL = 0o300;

type Process = ReturnType<typeof modelProcess>;

const open = (process: Process, name: string, flags = 0) =>
  result(process, 'openat', -100, path(name), flags, 0o644);

const event = { in: Uint8Array.of(1, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0) };

test('a descriptor that is not open is EBADF', () => {
  const process = modelProcess();
  for (const call of ['close', 'lseek', 'fchdir', 'fcntl', 'dup']) {
    expect([call, result(process, call, 3, 3, 0)]).toEqual([call, 'EBADF']);
  }
  expect(result(process, 'dup3', 3, 4, 0)).toBe('EBADF');
});

test('the lowest free number is taken, up to the limit', () => {
  const process = modelProcess();
  expect([open(process, '/etc/passwd'), open(process, '/bin/program')]).toEqual([0n, 1n]);
  expect(result(process, 'close', 0)).toBe(0n);
  expect(open(process, '/etc/passwd')).toBe(0n);
  expect(result(process, 'prlimit64', 0, 7, words(3n, 3n), 0)).toBe(0n);
  expect(open(process, '/etc/passwd')).toBe(2n);
  expect(open(process, '/etc/passwd')).toBe('EMFILE');
  expect(result(process, 'dup3', 0, 3, 0)).toBe('EBADF');
  expect(result(process, 'dup3', 0, 0, 0)).toBe('EINVAL');
});

test.for([
  ['/etc/nothing', 0, 'ENOENT'],
  ['/etc', 2, 'EISDIR'],
  ['/etc/passwd', 0o200000, 'ENOTDIR'],
  ['/etc/passwd', O_CREAT_EXCL, 'EEXIST'],
  ['/run/fifo', 1 | O_NONBLOCK, 'ENXIO'],
] as const)('openat of %s with flags %i is %s', ([name, flags, errno]) => {
  expect(open(modelProcess(), name, flags)).toBe(errno);
});

test('files are opened with the rights of the thread', () => {
  const process = modelProcess();
  expect(open(process, '/etc/secret')).toBe(0n);
  expect(result(process, 'setfsuid', 1000)).toBe(0n);
  expect(open(process, '/etc/secret')).toBe('EACCES');
  expect(open(process, '/etc/passwd', 2)).toBe('EACCES');
  expect(open(process, '/etc/passwd')).toBe(1n);
  expect(open(process, '/etc/secret', O_PATH)).toBe(2n);
  expect(open(process, '/proc/self/fd/2')).toBe('EACCES');
});

test('what was only reached can be looked at, and no more', () => {
  const process = modelProcess();
  const fd = Number(open(process, '/etc/passwd', O_PATH | O_CLOEXEC));
  expect(room(process, 'fstat', fd, { out: 144 }).getBigUint64(8, true)).toBe(100n);
  expect(result(process, 'lseek', fd, 0, 0)).toBe('EBADF');
  expect(open(process, `/proc/self/fd/${fd}`)).toBe(1n);
  expect(result(process, 'lseek', 1, 77, 0)).toBe(77n);
});

test('a pipe holds what fits, and tells when nobody reads', () => {
  const process = modelProcess();
  const ends = room(process, 'pipe2', { out: 8 }, O_NONBLOCK);
  expect([ends.getInt32(0, true), ends.getInt32(4, true)]).toEqual([0, 1]);
  expect(result(process, 'fcntl', 1, 1031, 5000)).toBe(8192n);
  expect(result(process, 'write', 1, { in: new Uint8Array(9000) }, 9000)).toBe(8192n);
  expect(result(process, 'write', 1, { in: new Uint8Array(1) }, 1)).toBe('EAGAIN');
  expect(result(process, 'fcntl', 1, 1031, 4096)).toBe('EBUSY');
  expect(result(process, 'write', 0, { in: new Uint8Array(1) }, 1)).toBe('EBADF');
  expect(result(process, 'pwrite64', 1, { in: new Uint8Array(1) }, 1, 0)).toBe('ESPIPE');
  expect(result(process, 'close', 0)).toBe(0n);
  expect(result(process, 'write', 1, { in: new Uint8Array(1) }, 1)).toBe('EPIPE');
});

test('a thread that would wait is not modelled', () => {
  const process = modelProcess();
  room(process, 'pipe2', { out: 8 }, 0);
  expect(() => result(process, 'write', 1, { in: new Uint8Array(70_000) }, 70_000)).toThrow(
    'waits',
  );
});

test('an epoll watches a file once, and no circle', () => {
  const process = modelProcess();
  result(process, 'epoll_create1', 0);
  result(process, 'eventfd2', 0, 0);
  result(process, 'epoll_create1', 0);
  open(process, '/etc/passwd');
  const control = (epoll: number, operation: number, fd: number) =>
    result(process, 'epoll_ctl', epoll, operation, fd, event);
  expect(control(0, 1, 1)).toBe(0n);
  expect(control(0, 1, 1)).toBe('EEXIST');
  expect(control(0, 3, 2)).toBe('ENOENT');
  expect(control(0, 1, 3)).toBe('EPERM');
  expect(control(0, 1, 0)).toBe('EINVAL');
  expect(control(1, 1, 0)).toBe('EINVAL');
  expect(control(0, 1, 9)).toBe('EBADF');
  expect(control(0, 1, 2)).toBe(0n);
  expect(control(2, 1, 0)).toBe('ELOOP');
});

test('an epoll forgets what is closed everywhere, and only that', () => {
  const process = modelProcess();
  const { object } = process.describe(
    process.table.at(Number(result(process, 'eventfd2', 0, 0))).file.object,
    0,
  );
  expect(object.link()).toBe('anon_inode:[eventfd]');
  result(process, 'epoll_create1', 0);
  result(process, 'epoll_ctl', 1, 1, 0, event);
  result(process, 'dup3', 0, 7, 0);
  result(process, 'close', 0);
  const lines = () => process.table.at(1).file.object.lines?.() ?? '';
  expect(lines()).toMatch(/^tfd: +0 events: +19 data: +9 /);
  result(process, 'close', 7);
  expect(lines()).toBe('');
});

test('locks of others are in the way, and go with their file', () => {
  const process = modelProcess();
  open(process, '/etc/passwd', 2);
  open(process, '/etc/passwd', 2);
  expect(result(process, 'flock', 0, 2 | 4)).toBe(0n);
  expect(result(process, 'flock', 1, 1 | 4)).toBe('EAGAIN');
  const whole = words(1n, 0n, 0n, 0n);
  expect(result(process, 'fcntl', 0, 37, whole)).toBe(0n);
  expect(result(process, 'fcntl', 1, 37, whole)).toBe('EAGAIN');
  expect(result(process, 'fcntl', 1, 6, whole)).toBe('EAGAIN');
  result(process, 'close', 0);
  expect(result(process, 'flock', 1, 1 | 4)).toBe(0n);
  expect(result(process, 'fcntl', 1, 6, whole)).toBe(0n);
  // Closing any descriptor of a file drops the locks that the process has on it.
  open(process, '/etc/passwd');
  result(process, 'close', 0);
  result(process, 'dup3', 1, 5, 0);
  expect(result(process, 'fcntl', 5, 37, whole)).toBe(0n);
});

test('an address belongs to one socket', () => {
  const process = modelProcess();
  const address = { in: Uint8Array.of(2, 0, 0x1f, 0x90, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0) };
  const on = { in: Uint8Array.of(1, 0, 0, 0) };
  const server = (reuse: boolean) => {
    const fd = Number(result(process, 'socket', 2, 1, 0));
    if (reuse) result(process, 'setsockopt', fd, 1, 2, on, 4);
    return [fd, result(process, 'bind', fd, address, 16)] as const;
  };
  const [first] = server(true);
  expect(server(true)[1]).toBe(0n);
  expect(server(false)[1]).toBe('EADDRINUSE');
  expect(result(process, 'bind', first, address, 16)).toBe('EINVAL');
  expect(result(process, 'listen', first, 5)).toBe(0n);
  expect(server(true)[1]).toBe('EADDRINUSE');
  expect(result(process, 'bind', first, address, 8)).toBe('EINVAL');
  expect(result(process, 'listen', Number(result(process, 'eventfd2', 0, 0)), 5)).toBe('ENOTSOCK');
});

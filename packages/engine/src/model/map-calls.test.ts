import { expect, test } from 'vitest';
import { modelProcess, path, result } from '../testing/model-process.ts';

const READ = 1;
const READ_WRITE = 3;
const SHARED = 1;
const PRIVATE = 2;
const ANONYMOUS = 0x20;
const FIXED = 0x10;
const NOREPLACE = 0x10_0000;
const NORESERVE = 0x4000;
const at = 0x10_0000n;
const fresh = PRIVATE | ANONYMOUS | NOREPLACE;

type Process = ReturnType<typeof modelProcess>;

/** "100000-102000 rd wr" */
const shown = ({ space }: Process): readonly string[] =>
  space.vmas.map(({ start, end, flags }) => {
    const some = ['rd', 'wr', 'ex', 'ac', 'sl'].filter((flag) => flags.has(flag));
    return `${start.toString(16)}-${end.toString(16)} ${some.join(' ')}`;
  });

const map = (process: Process, start = at, pages = 4, flags = fresh, protection = READ_WRITE) =>
  result(process, 'mmap', start, pages * 4096, protection, flags, -1, 0);

test.for([
  ['no bytes', [at, 0, READ, fresh, -1, 0], 'EINVAL'],
  ['an address that is not at a page', [at + 1n, 4096, READ, fresh, -1, 0], 'EINVAL'],
  ['an offset that is not at a page', [at, 4096, READ, fresh, -1, 5], 'EINVAL'],
  ['neither shared nor private', [at, 4096, READ, ANONYMOUS, -1, 0], 'EINVAL'],
  ['what is beyond user memory', [1n << 47n, 4096, READ, fresh, -1, 0], 'ENOMEM'],
  ['more than there is', [at, 1n << 50n, READ, fresh, -1, 0], 'ENOMEM'],
  ['no file', [at, 4096, READ, PRIVATE | NOREPLACE, 7, 0], 'EBADF'],
] as const)('mmap refuses %s', ([, args, errno]) => {
  expect(result(modelProcess(), 'mmap', ...args)).toBe(errno);
});

test('mmap does not replace what it was told not to', () => {
  const process = modelProcess();
  expect(map(process)).toBe(at);
  expect(map(process, at + 0x3000n, 4)).toBe('EEXIST');
  expect(map(process, at + 0x2000n, 4, PRIVATE | ANONYMOUS | FIXED, READ)).toBe(at + 0x2000n);
  expect(shown(process)).toEqual(['100000-102000 rd wr ac', '102000-106000 rd']);
});

test('mmap without an address takes the highest place', () => {
  const process = modelProcess();
  const first = result(process, 'mmap', 0, 8192, READ, PRIVATE | ANONYMOUS, -1, 0);
  expect(first).toBe(0x7fff_ffff_d000n);
  expect(result(process, 'mmap', 0, 4096, READ, PRIVATE | ANONYMOUS, -1, 0)).toBe(
    0x7fff_ffff_c000n,
  );
});

test('mmap of a file heeds how it was opened', () => {
  const process = modelProcess();
  const fd = result(process, 'openat', -100, path('/etc/passwd'), 0, 0);
  const shared = [at, 4096, READ_WRITE, SHARED | NOREPLACE, Number(fd), 0] as const;
  expect(result(process, 'mmap', ...shared)).toBe('EACCES');
  const reached = result(process, 'openat', -100, path('/etc/passwd'), 0o10000000, 0);
  expect(result(process, 'mmap', at, 4096, READ, PRIVATE | NOREPLACE, Number(reached), 0)).toBe(
    'EBADF',
  );
  const device = result(process, 'openat', -100, path('/dev/null'), 0, 0);
  expect(result(process, 'mmap', at, 4096, READ, PRIVATE | NOREPLACE, Number(device), 0)).toBe(
    'ENODEV',
  );
});

test('mprotect refuses holes, and counts what becomes writable', () => {
  const process = modelProcess();
  map(process, at, 2, fresh, READ);
  map(process, at + 0x4000n, 2, fresh | NORESERVE, READ);
  expect(result(process, 'mprotect', at, 0x6000, READ_WRITE)).toBe('ENOMEM');
  expect(result(process, 'mprotect', at + 0x1000n, 0x1000, READ_WRITE)).toBe(0n);
  expect(result(process, 'mprotect', at + 0x4000n, 0x2000, READ_WRITE)).toBe(0n);
  expect(shown(process)).toEqual([
    '100000-101000 rd',
    '101000-102000 rd wr ac',
    '104000-106000 rd wr',
  ]);
});

test('what is sealed stays as it is', () => {
  const process = modelProcess();
  map(process);
  expect(result(process, 'mseal', at, 0x1000, 0)).toBe(0n);
  expect(result(process, 'mprotect', at, 0x1000, READ)).toBe('EPERM');
  expect(result(process, 'munmap', at, 0x4000)).toBe('EPERM');
  expect(result(process, 'munmap', at + 0x1000n, 0x3000)).toBe(0n);
  expect(shown(process)).toEqual(['100000-101000 rd wr ac sl']);
});

test('mremap makes one more view of shared memory, and of no other', () => {
  const process = modelProcess();
  map(process, at, 4, SHARED | ANONYMOUS | NOREPLACE);
  const view = 0x20_0000n;
  expect(result(process, 'mremap', at + 0x1000n, 0, 0x2000, 3, view)).toBe(view);
  process.space.write(view + 5n, Uint8Array.of(7));
  expect(process.space.read(at + 0x1005n, 1)).toEqual(Uint8Array.of(7));
  map(process, 0x30_0000n, 1);
  expect(result(process, 'mremap', 0x30_0000n, 0, 0x1000, 3, 0x40_0000n)).toBe('EINVAL');
  expect(result(process, 'mremap', 0x50_0000n, 0, 0x1000, 3, 0x40_0000n)).toBe('EFAULT');
});

test('advice changes flags, and guards fault', () => {
  const process = modelProcess();
  map(process);
  expect(result(process, 'madvise', at, 0x1000, 10)).toBe(0n);
  expect(process.space.at(at)?.flags.has('dc')).toBe(true);
  expect(process.space.at(at + 0x1000n)?.flags.has('dc')).toBe(false);
  expect(result(process, 'madvise', at + 0x3000n, 0x2000, 10)).toBe('ENOMEM');
  expect(result(process, 'madvise', at, 0x1000, 102)).toBe(0n);
  expect(() => process.space.read(at, 1)).toThrow('EFAULT');
  expect(() => result(process, 'madvise', at, 0x1000, 999)).toThrow('advice 999');
});

test('a system call reads and writes only what it may', () => {
  const process = modelProcess();
  map(process, at, 1, fresh, READ);
  const pipe = [Number(result(process, 'eventfd2', 0, 0)), at, 8] as const;
  expect(result(process, 'write', ...pipe)).toBe(8n);
  expect(result(process, 'write', pipe[0], at + 0xffcn, 8)).toBe('EFAULT');
  expect(result(process, 'pipe2', at, 0)).toBe('EFAULT');
  // More than was lent.
  expect(result(process, 'write', pipe[0], { in: new Uint8Array(4) }, 8)).toBe('EFAULT');
});

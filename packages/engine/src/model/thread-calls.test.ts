import { expect, test } from 'vitest';
import { modelProcess, result, room, words } from '../testing/model-process.ts';

const fresh = 0x10_0022;
const heap = 0x10_0000n;

test.for([
  ['rt_sigaction', 'EINVAL', [9, words(1n, 0n, 0n, 0n), 0, 8]],
  ['rt_sigaction', 'EINVAL', [65, 0, 0, 8]],
  ['rt_sigaction', 'EINVAL', [1, 0, 0, 4]],
  ['sigaltstack', 'ENOMEM', [words(heap, 0n, 100n), 0]],
  ['sigaltstack', 'EINVAL', [words(heap, 7n, 8192n), 0]],
  ['set_robust_list', 'EINVAL', [heap, 12]],
  ['rseq', 'EINVAL', [heap + 8n, 32, 0, 1]],
  ['rseq', 'EINVAL', [heap, 16, 0, 1]],
  ['setitimer', 'EINVAL', [0, words(0n, 2_000_000n, 0n, 0n), 0]],
  ['setitimer', 'EINVAL', [3, 0, 0]],
  ['timer_create', 'EINVAL', [10, 0, { out: 4 }]],
  ['timer_settime', 'EINVAL', [3, 0, words(0n, 0n, 1n, 0n), 0]],
  ['timer_delete', 'EINVAL', [0]],
  ['sched_setaffinity', 'EINVAL', [0, 8, words(0n)]],
  ['ioprio_set', 'EINVAL', [1, 0, 7]],
  ['prctl', 'EINVAL', [38, 2, 0, 0, 0]],
  ['prctl', 'EINVAL', [1, 65, 0, 0, 0]],
  ['prctl', 'EINVAL', [4, 2, 0, 0, 0]],
] as const)('%s is refused with %s', ([call, errno, args]) => {
  const process = modelProcess();
  result(process, 'mmap', heap, 4096, 3, fresh, -1, 0);
  expect(result(process, call, ...args)).toBe(errno);
});

test('an action loses what user space may not set', () => {
  const process = modelProcess();
  const everything = (1n << 64n) - 1n;
  result(process, 'rt_sigaction', 10, words(heap, everything, heap, everything), 0, 8);
  const view = room(process, 'rt_sigaction', 10, 0, { out: 32 }, 8);
  expect(view.getBigUint64(8, true)).toBe(0xdc00_0807n);
  expect(view.getBigUint64(24, true)).toBe(everything & ~(1n << 8n) & ~(1n << 18n));
});

test('an area of restartable sequences is registered once, and cleared', () => {
  const process = modelProcess();
  result(process, 'mmap', heap, 4096, 3, fresh, -1, 0);
  process.space.write(heap + 8n, Uint8Array.of(1, 2, 3));
  expect(result(process, 'rseq', heap, 32, 0, 7)).toBe(0n);
  expect(process.space.read(heap + 8n, 3)).toEqual(new Uint8Array(3));
  expect(result(process, 'rseq', heap, 32, 0, 7)).toBe('EBUSY');
  expect(result(process, 'rseq', heap, 32, 0, 8)).toBe('EPERM');
});

test('timers get the numbers that are asked for, once', () => {
  const process = modelProcess();
  const number = (id: number) => ({ inout: Uint8Array.of(id, 0, 0, 0) });
  expect(result(process, 'prctl', 77, 1, 0, 0, 0)).toBe(0n);
  expect(result(process, 'timer_create', 1, 0, number(5))).toBe(0n);
  expect(result(process, 'timer_create', 1, 0, number(5))).toBe('EBUSY');
  expect(result(process, 'prctl', 77, 0, 0, 0, 0)).toBe(0n);
  expect(room(process, 'timer_create', 1, 0, { out: 4 }).getInt32(0, true)).toBe(0);
  expect(room(process, 'timer_create', 1, 0, { out: 4 }).getInt32(0, true)).toBe(1);
});

test('a session is led by who leads no group', () => {
  const process = modelProcess();
  expect(result(process, 'setsid')).toBe(42n);
  expect(result(process, 'setsid')).toBe('EPERM');
  expect(result(process, 'setpgid', 0, 0)).toBe('EPERM');
});

test('a name is cut where it does not fit', () => {
  const process = modelProcess();
  const long = { in: new Uint8Array(20).fill(0x61) };
  expect(result(process, 'prctl', 15, long, 0, 0, 0)).toBe(0n);
  expect(process.name).toEqual(new Uint8Array(15).fill(0x61));
});

test('what the model does not have fails by its name', () => {
  const process = modelProcess();
  expect(() => result(process, 'bpf', 0, 0, 0)).toThrow('no system call bpf');
  expect(() => result(process, 'prctl', 12345, 0, 0, 0, 0)).toThrow('no prctl(12345)');
});

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  isGone,
  isKernelHelper,
  isKernelThread,
  parseStatFacts,
  parseStatusFacts,
} from './task-facts.ts';

const fields = '1 12 12 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 1 0 98765 1000 10 18446744073709551615';

test('a name with blanks and parentheses is read whole', () => {
  const facts = parseStatFacts(`12 (a) R (b) S ${fields}\n`);
  expect(facts).toMatchObject({ name: 'a) R (b', state: 'S', parent: 1, group: 12, session: 12 });
  expect(facts.startTime).toBe(98765n);
  expect(isGone(facts) || isKernelHelper(facts) || isKernelThread(facts)).toBe(false);
});

test('helpers of the kernel, kernel threads and the dead are told by flags and state', () => {
  const of = (state: string, flags: number) =>
    parseStatFacts(`12 (x) ${state} ${fields.replace('4194560', String(flags))}`);
  expect(isKernelHelper(of('S', 0x10 | 0x400000))).toBe(true);
  expect(isKernelHelper(of('S', 0x4000))).toBe(true);
  expect(isKernelThread(of('I', 0x208040))).toBe(true);
  expect(isGone(of('Z', 0))).toBe(true);
});

test('ids are those of the innermost pid namespace', () => {
  const text =
    'Name:\tx\nTgid:\t20\nPid:\t21\nTracerPid:\t7\nNStgid:\t20\t1\nNSpid:\t21\t2\nThreads:\t3\n';
  const signals =
    'SigPnd:\t0000000000000001\nShdPnd:\t0000000000000200\nSigCgt:\t8000000000000000\nSeccomp:\t2\n';
  expect(parseStatusFacts(text + signals)).toEqual({
    tgid: 20,
    tracer: 7,
    ownTgid: 1,
    ownTid: 2,
    threads: 3,
    pending: 0x201n,
    caught: 1n << 63n,
    seccomp: 2,
    locked: 0,
  });
  expect(parseStatusFacts('VmLck:\t      12 kB\n').locked).toBe(12);
});

test.skipIf(process.platform !== 'linux')('this process is read as it is', () => {
  const status = parseStatusFacts(readFileSync('/proc/self/status', 'utf8'));
  expect(status.tgid).toBe(process.pid);
  expect(status.threads).toBeGreaterThan(1);
  expect(parseStatFacts(readFileSync('/proc/self/stat', 'utf8')).parent).toBe(process.ppid);
});

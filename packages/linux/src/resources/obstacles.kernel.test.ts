import { createEngine } from '@ckpt/engine';
import { readFileSync } from 'node:fs';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { adoptTargets, host } from '../testing/round-trip.ts';
import { Target, program } from '../testing/target.ts';

const targets: Target[] = [];

beforeAll(adoptTargets);
afterEach(() => {
  // Its children are in its process group.
  for (const target of targets.splice(0)) process.kill(-target.pid, 'SIGKILL');
});

/** What this kernel shows of each thing, and what is made of it. */
test.for([
  ['sysv', /^mapping .*: \/SYSV/, 'it is System V shared memory'],
  ['aio', /^mapping .*: \/\[aio\]/, 'it has an asynchronous I/O context (io_setup(2))'],
  ['pkey', /^mapping /, 'it has protection key 1'],
  ['reached', /^mapping .*\/dev\/zero/, /^it is memory without a file, reached through map_files/],
  ['shared', /^mapping .*\/dev\/zero/, 'another process shares this memory'],
  ['memfd', /^mapping .*: \/memfd:both/, 'another process shares this memory'],
  ['device', /^mapping .*: \/dev\/mem/, 'it is memory of a device'],
  ['userfault', /^mapping /, 'userfaultfd(2) serves its pages'],
  ['child', /^child \d+ \(/, 'one process is checkpointed, and this is another'],
  ['zombie', /^child \d+ \(/, 'it has ended, and its parent has not waited for it'],
  ['namespace', /^UTS namespace$/, /^it is in uts:\[\d+\], the checkpointer in uts:\[\d+\]$/],
  ['chroot', /^root directory \/usr$/, 'the process has a root directory of its own (chroot(2))'],
  ['deadline', /^thread \d+$/, 'it runs under SCHED_DEADLINE'],
  ['tsc', /^process \d+$/, 'the time stamp counter is forbidden to it'],
  ['mdwe', /^process \d+$/, 'it may not make memory executable (PR_SET_MDWE)'],
] as const)('%s is refused with what it is', ([what, thing, reason], { skip }) => {
  const target = new Target([program('odd'), what]);
  targets.push(target);
  target.until('an answer', () => target.output !== '');
  if (target.output === 'cannot\n') {
    skip(`${what} cannot be had on this machine`);
  }
  const { obstacles } = createEngine(host).check(target.pid);
  const found = obstacles.find((obstacle) => thing.test(obstacle.thing));
  expect(found?.reason ?? '', JSON.stringify(obstacles)).toMatch(reason);
  expect(found?.remedy).not.toBe('');
});

test('seccomp is refused before anything is asked', () => {
  const target = new Target([program('odd'), 'seccomp']);
  targets.push(target);
  target.says('ready');
  expect(() => createEngine(host).check(target.pid)).toThrow(/seccomp/);
  expect(readFileSync(`/proc/${target.pid}/status`, 'latin1')).toContain('TracerPid:\t0');
});

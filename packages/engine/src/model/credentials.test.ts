import { expect, test } from 'vitest';
import { modelProcess, result, words } from '../testing/model-process.ts';

const CAP_KILL = 5n;
const header = words(0x2008_0522n);

/** Three sets of struct __user_cap_data_struct, low words. */
function sets(effective: bigint, permitted: bigint, inheritable: bigint) {
  return words(effective | (permitted << 32n), inheritable, 0n);
}

test('who stops being root loses its capabilities, unless it keeps them', () => {
  const process = modelProcess();
  const { credentials } = process.leader;
  expect(result(process, 'setresuid', 1000, 1000, 1000)).toBe(0n);
  expect(credentials.capabilities).toMatchObject({ permitted: 0n, effective: 0n });
  expect(result(process, 'setresuid', 0, 0, 0)).toBe('EPERM');
  const keeper = modelProcess();
  expect(result(keeper, 'prctl', 28, 4, 0, 0, 0)).toBe(0n);
  expect(result(keeper, 'setresuid', 1000, 1000, 1000)).toBe(0n);
  expect(keeper.leader.credentials.can(21)).toBe(true);
  expect(result(keeper, 'setresuid', 0, 0, 0)).toBe(0n);
});

test('a change of ids takes away what was set before it', () => {
  const process = modelProcess();
  expect(result(process, 'prctl', 1, 15, 0, 0, 0)).toBe(0n);
  expect(process.dumpable).toBe(1);
  result(process, 'setresgid', 5, 5, 5);
  expect(process.dumpable).toBe(0);
  expect(process.leader.parentDeathSignal).toBe(0);
});

test('setfsuid never fails, and tells what was', () => {
  const process = modelProcess();
  expect(result(process, 'setfsuid', 7)).toBe(0n);
  expect(result(process, 'setfsuid', -1)).toBe(7n);
  expect(process.leader.credentials.can(1)).toBe(false);
  expect(result(process, 'setfsuid', 0)).toBe(7n);
  expect(process.leader.credentials.can(1)).toBe(true);
});

test('capabilities only become less', () => {
  const process = modelProcess();
  const kill = 1n << CAP_KILL;
  expect(result(process, 'capset', header, sets(0n, kill, kill))).toBe(0n);
  expect(result(process, 'capset', header, sets(kill, kill, kill))).toBe(0n);
  expect(result(process, 'capset', header, sets(0n, kill | 1n, 0n))).toBe('EPERM');
  expect(result(process, 'capset', header, sets(1n, 0n, 0n))).toBe('EPERM');
  expect(result(process, 'capset', words(7n), sets(0n, 0n, 0n))).toBe('EINVAL');
  expect(result(process, 'prctl', 24, 3, 0, 0, 0)).toBe('EPERM');
});

test('ambient capabilities are permitted and inheritable ones', () => {
  const process = modelProcess();
  expect(result(process, 'prctl', 47, 2, CAP_KILL, 0, 0)).toBe('EPERM');
  result(process, 'capset', header, sets(0xffn, 0xffn, 0xffn));
  expect(result(process, 'prctl', 47, 2, CAP_KILL, 0, 0)).toBe(0n);
  expect(process.leader.credentials.capabilities.ambient).toBe(1n << CAP_KILL);
  result(process, 'capset', header, sets(0xffn, 0xffn, 0n));
  expect(process.leader.credentials.capabilities.ambient).toBe(0n);
});

test('limits are raised by nobody but who may', () => {
  const process = modelProcess();
  expect(result(process, 'prlimit64', 0, 4, words(5n, 4n), 0)).toBe('EINVAL');
  expect(result(process, 'prlimit64', 0, 99, 0, 0)).toBe('EINVAL');
  expect(result(process, 'prlimit64', 0, 4, words(4n, 4n), 0)).toBe(0n);
  expect(result(process, 'prlimit64', 0, 4, words(5n, 5n), 0)).toBe(0n);
  result(process, 'setresuid', 1000, 1000, 1000);
  expect(result(process, 'prlimit64', 0, 4, words(6n, 6n), 0)).toBe('EPERM');
});

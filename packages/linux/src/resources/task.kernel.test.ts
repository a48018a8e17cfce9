import { beforeAll, expect, test } from 'vitest';
import { factsOf } from '../testing/all-facts.ts';
import { callOf } from '../testing/process-facts.ts';
import { adoptTargets, roundTrip, startTarget } from '../testing/round-trip.ts';
import { type Target, program } from '../testing/target.ts';

/** rt_sigtimedwait(2) */
const sigtimedwait = 128;
/** futex(2) */
const futex = 202;

beforeAll(adoptTargets);

/** Until the leader waits for a signal, which unblocks it for so long, and the others for the leader. */
function settle(target: Target): void {
  target.until('all wait', () =>
    target.threads().every((tid) => callOf(tid) === (tid === target.pid ? sigtimedwait : futex)),
  );
}

test('threads, signals, timers, limits and settings come back as they were', async () => {
  const target = startTarget(['taskset', '1', 'nice', '-n', '2', program('settings')]);
  target.says('ready');
  settle(target);
  const before = factsOf(target.pid, false);
  const { running, notes } = roundTrip(target.pid);
  settle(target);
  const after = factsOf(running.pid, false);
  process.kill(running.pid, 'SIGTERM');
  expect(await running.wait()).toBe(0);
  expect(after).toEqual(before);
  expect(notes).toEqual([]);
});

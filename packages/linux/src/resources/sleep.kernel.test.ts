import { beforeAll, expect, test } from 'vitest';
import { callOf } from '../testing/process-facts.ts';
import {
  adoptTargets,
  imageOf,
  restartImage,
  roundTrip,
  startTarget,
  waitForEnd,
} from '../testing/round-trip.ts';
import { type Target, pause, program } from '../testing/target.ts';

/** Milliseconds: of the sleep, and of it before the process is killed. */
const whole = 700;
const before = 250;
const tolerance = 400;

beforeAll(adoptTargets);

/** Calls that the kernel goes on with by a restart block; the first two have said what is left. */
const blocked = ['nanosleep', 'clock_nanosleep', 'nanosleep-null', 'poll', 'futex'];
/** Calls that are made again; the first two have said what is left. */
const again = ['select', 'ppoll', 'sigtimedwait'];
/** Of the others what is left is nowhere to be seen: the whole time again. */
const visible = new Set(['nanosleep', 'clock_nanosleep', 'select', 'ppoll']);

function sleeper(way: string): { readonly target: Target; readonly since: number } {
  const target = startTarget([program('sleeps'), way, String(whole)]);
  target.says('ready');
  target.until('a call', () => callOf(target.pid) !== undefined);
  return { target, since: performance.now() };
}

/** Checkpoints a sleep on the way, restarts it, and looks at how long it lasts then. */
async function sleepOn(way: string, first: (pid: number) => void): Promise<void> {
  const { target, since } = sleeper(way);
  first(target.pid);
  pause(Math.max(0, before - (performance.now() - since)));
  const longest = visible.has(way) ? whole - (performance.now() - since) : whole;
  const image = imageOf(target.pid, { kill: true });
  const shortest = visible.has(way) ? whole - (performance.now() - since) : whole;
  waitForEnd(target.pid);
  // It goes on somewhere between these two.
  const begun = performance.now();
  const { running } = restartImage(image);
  const restarted = performance.now();
  expect(await running.wait()).toBe(0);
  const ended = performance.now();
  expect(ended - begun).toBeGreaterThan(shortest - tolerance);
  expect(ended - restarted).toBeLessThan(longest + tolerance);
}

test.for([...blocked, ...again])('a %s goes on with its time', async (way) => {
  await sleepOn(way, () => undefined);
});

test.for(blocked)('a %s that was checkpointed before does, too', async (way) => {
  await sleepOn(way, (pid) => {
    imageOf(pid);
    pause(50);
    imageOf(pid);
  });
});

test('a sleep until a time ends at that time', async () => {
  const { target, since } = sleeper('absolute');
  const { running } = roundTrip(target.pid);
  expect(await running.wait()).toBe(0);
  const took = performance.now() - since;
  expect(took).toBeGreaterThan(whole - tolerance);
  expect(took).toBeLessThan(whole + tolerance);
});

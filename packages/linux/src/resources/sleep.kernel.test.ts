import { beforeAll, expect, test } from 'vitest';
import { callOf } from '../testing/process-facts.ts';
import { adoptTargets, imageOf, roundTrip } from '../testing/round-trip.ts';
import { Target, pause, program } from '../testing/target.ts';

/** Milliseconds: of the sleep, and of it before the process is killed. */
const whole = 700;
const before = 250;
const tolerance = 150;

beforeAll(adoptTargets);

interface Sleep {
  readonly way: string;
  /** Milliseconds after the restart. */
  readonly left: number;
}

/** Calls that the kernel goes on with by a restart block. */
const blocked: readonly Sleep[] = [
  { way: 'nanosleep', left: whole - before },
  { way: 'clock_nanosleep', left: whole - before },
  // What is left is nowhere to be seen: the whole time again.
  { way: 'nanosleep-null', left: whole },
  { way: 'poll', left: whole },
  { way: 'futex', left: whole },
];

/** Calls that are made again: the first two have written down what is left. */
const again: readonly Sleep[] = [
  { way: 'select', left: whole - before },
  { way: 'ppoll', left: whole - before },
  { way: 'sigtimedwait', left: whole },
];

function sleeper(way: string): { readonly target: Target; readonly since: number } {
  const target = new Target([program('sleeps'), way, String(whole)]);
  target.says('ready');
  target.until('a call', () => callOf(target.pid) !== undefined);
  return { target, since: performance.now() };
}

/** Milliseconds from the restart to the end; the status must be 0. */
async function sleepOn(way: string, first: (pid: number) => void): Promise<number> {
  const { target, since } = sleeper(way);
  first(target.pid);
  pause(Math.max(0, before - (performance.now() - since)));
  const { running } = roundTrip(target.pid);
  const restarted = performance.now();
  expect(await running.wait()).toBe(0);
  return performance.now() - restarted;
}

test.for([...blocked, ...again])('a $way goes on with its time', async ({ way, left }) => {
  const took = await sleepOn(way, () => undefined);
  expect(took).toBeGreaterThan(left - tolerance);
  expect(took).toBeLessThan(left + tolerance);
});

test.for(blocked)('a $way that was checkpointed before does, too', async ({ way, left }) => {
  const took = await sleepOn(way, (pid) => {
    imageOf(pid);
    pause(50);
    imageOf(pid);
  });
  expect(took).toBeGreaterThan(left - tolerance);
  expect(took).toBeLessThan(left + tolerance);
});

test('a sleep until a time ends at that time', async () => {
  const { target, since } = sleeper('absolute');
  const { running } = roundTrip(target.pid);
  expect(await running.wait()).toBe(0);
  const took = performance.now() - since;
  expect(took).toBeGreaterThan(whole - tolerance);
  expect(took).toBeLessThan(whole + tolerance);
});

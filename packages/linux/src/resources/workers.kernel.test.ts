import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { adoptTargets, imageOf, roundTrip, startTarget } from '../testing/round-trip.ts';
import { program, type Target } from '../testing/target.ts';

beforeAll(adoptTargets);

const headers = fileURLToPath(new URL('../testing/programs/', import.meta.url));

function workers(): Target {
  const target = startTarget([program('workers', '-I', headers)]);
  target.says('ready');
  return target;
}

/** What the program says when all of its threads have looked at what they have. */
const said = ({ output }: Target): string => output.trim().split('\n').slice(1).join('\n');

test('threads that wait for one another go on waiting when they are checkpointed', () => {
  const target = workers();
  for (let round = 0; round < 3; round++) imageOf(target.pid);
  process.kill(target.pid, 'SIGUSR1');
  target.until('the end', () => /done|failed/.test(target.output), 30_000);
  expect(said(target)).toBe('done');
});

test('threads that wait for one another are woken as they should be after restarts', async () => {
  const target = workers();
  const threads = target.threads();
  roundTrip(target.pid);
  const { running } = roundTrip(target.pid);
  expect(target.threads()).toEqual(threads);
  process.kill(target.pid, 'SIGUSR1');
  expect(await running.wait()).toBe(0);
  expect(said(target)).toBe('done');
});

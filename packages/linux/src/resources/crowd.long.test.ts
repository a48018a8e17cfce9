import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { adoptTargets, imageOf, roundTrip, startTarget } from '../testing/round-trip.ts';
import { program } from '../testing/target.ts';

beforeAll(adoptTargets);

const headers = fileURLToPath(new URL('../testing/programs/', import.meta.url));
const count = 1000;

test('a thousand threads go on, with their ids', { timeout: 120_000 }, async () => {
  const target = startTarget([program('crowd', '-I', headers), String(count)]);
  target.says('ready', 60_000);
  const threads = target.threads();
  expect(threads).toHaveLength(count + 1);
  imageOf(target.pid, { deadlineMs: 60_000 });
  const { running } = roundTrip(target.pid);
  expect(target.threads()).toEqual(threads);
  process.kill(target.pid, 'SIGUSR1');
  expect(await running.wait()).toBe(0);
  expect(target.output).toBe('ready\ndone\n');
});

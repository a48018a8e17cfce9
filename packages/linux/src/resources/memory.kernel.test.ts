import { beforeAll, expect, test } from 'vitest';
import { factsOf } from '../testing/all-facts.ts';
import { callOf, memoryOf } from '../testing/process-facts.ts';
import {
  adoptTargets,
  imageOf,
  restartImage,
  roundTrip,
  startTarget,
} from '../testing/round-trip.ts';
import { scratch } from '../testing/scratch.ts';
import { type Target, pause, program } from '../testing/target.ts';

const path = scratch();
/** pause(2) */
const pauseCall = 34;

beforeAll(adoptTargets);

/** Bound to one processor: the C library keeps the number of the present one in memory. */
const quiet = (name: string): Target => {
  const target = startTarget(['taskset', '1', program('quiet'), path(name)]);
  target.says('ready');
  target.until('pause', () => callOf(target.pid) === pauseCall);
  return target;
};

test('memory of every kind comes back as it was, mapping for mapping', async () => {
  const target = quiet('mapped');
  expect(target.output).toBe('ready\n');
  const before = factsOf(target.pid);
  const { running, image } = roundTrip(target.pid);
  const after = factsOf(running.pid);
  process.kill(running.pid, 'SIGKILL');
  expect(await running.wait()).toBe(9);
  expect(after).toEqual(before);
  // 3 MiB were touched; of the reserve of 64 GiB nothing is in the image.
  expect(image.length).toBeLessThan(6 << 20);
});

test('a checkpoint changes nothing, and a second restart gives the same', async () => {
  const target = quiet('again');
  const before = factsOf(target.pid);
  imageOf(target.pid);
  expect(factsOf(target.pid)).toEqual(before);
  const first = roundTrip(target.pid);
  expect(factsOf(target.pid)).toEqual(before);
  const image = imageOf(target.pid);
  process.kill(target.pid, 'SIGKILL');
  await first.running.wait();
  const second = restartImage(image);
  expect(factsOf(target.pid)).toEqual(before);
  process.kill(target.pid, 'SIGKILL');
  await second.running.wait();
});

test('a program counts on where it was, in memory and in a vector register', async () => {
  const target = startTarget([program('counts')]);
  target.says('\n');
  pause(50);
  const count = (): bigint =>
    memoryOf(target.pid, BigInt(target.output.trim()), 8).readBigUInt64LE();
  const before = count();
  const { running } = roundTrip(target.pid);
  pause(50);
  const after = count();
  expect(after).toBeGreaterThan(before + 5n);
  expect(after).toBeLessThan(before + 2000n);
  process.kill(running.pid, 'SIGKILL');
  expect(await running.wait()).toBe(9);
});

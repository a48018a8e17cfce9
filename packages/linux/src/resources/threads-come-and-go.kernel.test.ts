import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { adoptTargets, imageOf, roundTrip, startTarget } from '../testing/round-trip.ts';
import { pause, program } from '../testing/target.ts';

const headers = fileURLToPath(new URL('../testing/programs/', import.meta.url));

beforeAll(adoptTargets);

test('threads that come and go are frozen whole, however often', { timeout: 60_000 }, async () => {
  const target = startTarget([program('churn', `-I${headers}`, '-pthread')]);
  target.says('ready');
  for (let round = 0; round < 50; round++) {
    imageOf(target.pid);
    pause(1);
  }
  for (let round = 0; round < 3; round++) {
    roundTrip(target.pid);
    pause(50);
  }
  const { running } = roundTrip(target.pid);
  pause(50);
  process.kill(running.pid, 'SIGUSR1');
  const status = await running.wait();
  expect(target.output).toBe('ready\ndone\n');
  expect(status).toBe(0);
});

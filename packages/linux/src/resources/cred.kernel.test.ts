import { Cred, Path } from '@ckpt/format';
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { factsOf } from '../testing/all-facts.ts';
import { callOf } from '../testing/process-facts.ts';
import { adoptTargets, imageOf, restartImage, roundTrip } from '../testing/round-trip.ts';
import { scratch } from '../testing/scratch.ts';
import { Target, program } from '../testing/target.ts';

const path = scratch();
/** pause(2) */
const pauseCall = 34;

beforeAll(adoptTargets);

function somebody(): Target {
  const target = new Target([program('somebody')]);
  target.says('ready');
  target.until('pause', () => callOf(target.pid) === pauseCall);
  return target;
}

test('a process that has become somebody else is that one again, with all its threads', async () => {
  const target = somebody();
  const before = factsOf(target.pid, false);
  expect(before).toMatchObject({ status: { Groups: '34567 45678 ', CapEff: '0000000000000020' } });
  const { running } = roundTrip(target.pid);
  const after = factsOf(running.pid, false);
  process.kill(running.pid, 'SIGKILL');
  await running.wait();
  expect(after).toEqual(before);
});

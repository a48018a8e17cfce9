import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { adoptTargets, imageOf, roundTrip, startTarget } from '../testing/round-trip.ts';
import { program, type Target } from '../testing/target.ts';

beforeAll(adoptTargets);

const headers = fileURLToPath(new URL('../testing/programs/', import.meta.url));

/** A process whose main thread is a zombie. */
function leaderless(): Target {
  const target = startTarget([program('leaderless', '-I', headers)]);
  target.says('ready');
  target.until('a zombie', () => target.status('State')?.startsWith('Z') === true);
  return target;
}

test('a process whose leader has exited goes on when it is checkpointed', () => {
  const target = leaderless();
  imageOf(target.pid);
  imageOf(target.pid);
  expect(target.status('TracerPid')).toBe('0');
  process.kill(target.pid, 'SIGUSR1');
  target.says('done');
});

test('a process whose leader has exited comes back as one, twice', async () => {
  const target = leaderless();
  const threads = target.threads();
  roundTrip(target.pid);
  const { running } = roundTrip(target.pid);
  expect(target.threads()).toEqual(threads);
  const stat = readFileSync(`/proc/${target.pid}/stat`, 'utf8').trim();
  expect(stat).toMatch(/^\d+ \(the leader\) Z /);
  expect(stat.split(' ').at(-1)).toBe(String(7 << 8));
  process.kill(target.pid, 'SIGUSR1');
  target.says('done');
  expect(target.output).not.toContain('line');
  // From Linux 5.17 on the status of whoever ends last is that of the process.
  expect([0, 7 << 8]).toContain(await running.wait());
});

import { MemoryFile } from '@ckpt/io';
import { createEngine } from '@ckpt/engine';
import { chmodSync, copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { factsOf } from '../testing/all-facts.ts';
import { callOf } from '../testing/process-facts.ts';
import {
  adoptTargets,
  host,
  imageOf,
  restartImage,
  roundTrip,
  startTarget,
  waitForEnd,
} from '../testing/round-trip.ts';
import { scratch } from '../testing/scratch.ts';
import { type Target, program } from '../testing/target.ts';

const path = scratch();
/** pause(2) */
const pauseCall = 34;

beforeAll(adoptTargets);

function somebody(): Target {
  const target = startTarget([program('somebody')]);
  target.says('ready');
  target.until('pause', () => target.threads().every((tid) => callOf(tid) === pauseCall));
  return target;
}

/** A program that only root can reach, and that runs as somebody else. */
function hidden(): Target {
  const folder = path('hidden');
  mkdirSync(folder, { recursive: true });
  copyFileSync(program('somebody'), `${folder}/somebody`);
  chmodSync(folder, 0o700);
  const target = startTarget([`${folder}/somebody`]);
  target.says('ready');
  target.until('pause', () => target.threads().every((tid) => callOf(tid) === pauseCall));
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

test('what the process cannot open itself is opened only for who trusts the image', async () => {
  const target = hidden();
  const before = factsOf(target.pid, false);
  const image = imageOf(target.pid, { kill: true });
  waitForEnd(target.pid);
  expect(() => restartImage(image)).toThrow(/EACCES.*hidden\/somebody/);
  const { running } = restartImage(image, { settings: { trustImage: true } });
  const after = factsOf(running.pid, false);
  process.kill(running.pid, 'SIGKILL');
  await running.wait();
  expect(after).toEqual(before);
});

test('a log that was opened before privileges were dropped takes trust, and goes on', async () => {
  const log = path('dropped.log');
  const target = startTarget([program('dropped'), log]);
  target.says('ready');
  const lines = (): string[] => readFileSync(log, 'utf8').trim().split('\n');
  target.until('lines', () => lines().length > 3);
  const image = new MemoryFile();
  const { notes } = createEngine(host, { kill: true }).checkpoint(target.pid, image);
  expect(notes).toContainEqual(expect.stringMatching(/dropped\.log .*--trust-image/));
  waitForEnd(target.pid);
  const before = lines();
  expect(() => restartImage(image.bytes)).toThrow(/only the invoker .*--trust-image/);
  expect(lines()).toEqual(before);
  const { running } = restartImage(image.bytes, { settings: { trustImage: true } });
  target.until('more lines', () => lines().length > before.length + 3);
  expect(target.status('Uid')).toBe('65534\t65534\t65534\t65534');
  process.kill(running.pid, 'SIGKILL');
  await running.wait();
  expect(lines()).toEqual(lines().map((_, index) => String(index)));
});

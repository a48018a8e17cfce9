import { createEngine, type System } from '@ckpt/engine';
import { MemoryFile } from '@ckpt/io';
import { readFileSync, readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test, type TestContext } from 'vitest';
import {
  adoptTargets,
  host,
  imageOf,
  restartImage,
  roundTrip,
  startTarget,
  waitForEnd,
} from '../testing/round-trip.ts';
import { program, type Target } from '../testing/target.ts';

const headers = fileURLToPath(new URL('../testing/programs/', import.meta.url));
/** Seconds that the clocks of targets are ahead. */
const ahead = { monotonic: 1_000_000, boottime: 2_000_000 };

beforeAll(adoptTargets);

const timeOf = (pid: number | 'self'): string => readlinkSync(`/proc/${pid}/ns/time`);

/** Seconds that are added to the clocks of a process. */
function addedTo(pid: number): readonly number[] {
  const text = readFileSync(`/proc/${pid}/timens_offsets`, 'latin1');
  return [...text.matchAll(/^\w+ +(-?\d+)/gm)].map(([, seconds]) => Number(seconds));
}

const clocks = (): string => program('clocks', `-I${headers}`);

/** A program whose clocks are ahead, in a time namespace. */
function startAhead(context: TestContext): Target {
  const { monotonic, boottime } = ahead;
  const clock = ['--monotonic', String(monotonic), '--boottime', String(boottime)];
  const target = startTarget(['unshare', '--time', ...clock, clocks()]);
  target.says('ready');
  // Before Linux 6.1 a program stays where it was when it is executed.
  if (timeOf(target.pid) === timeOf('self')) context.skip('no time namespaces');
  return target;
}

async function finishes(target: Target, ended: Promise<number>): Promise<void> {
  process.kill(target.pid, 'SIGUSR1');
  const status = await ended;
  expect(target.output).toContain('done');
  expect(status).toBe(0);
}

/** The image of a process that is killed, of another boot or as the machine says it is. */
function imageElsewhere(pid: number, system: Partial<System>): Uint8Array {
  const file = new MemoryFile();
  const elsewhere = { ...host, system: () => ({ ...host.system(), ...system }) };
  createEngine(elsewhere, { kill: true }).checkpoint(pid, file);
  waitForEnd(pid);
  return file.bytes;
}

const otherBoot = { bootId: new Uint8Array(16).fill(9) };

test('a clock that was ahead stays so, for all that waits for it', async (context) => {
  const target = startAhead(context);
  roundTrip(target.pid);
  const { running } = roundTrip(target.pid);
  expect(timeOf(target.pid)).not.toBe(timeOf('self'));
  expect(addedTo(target.pid)).toEqual([ahead.monotonic, ahead.boottime]);
  await finishes(target, running.wait());
});

test('on another boot it goes on from where it was', async (context) => {
  const target = startAhead(context);
  const { running } = restartImage(imageElsewhere(target.pid, otherBoot));
  const [monotonic = 0, boottime = 0] = addedTo(target.pid);
  // Less by what has passed since then.
  expect(monotonic).toBeGreaterThan(ahead.monotonic - 100);
  expect(monotonic).toBeLessThanOrEqual(ahead.monotonic);
  expect(boottime).toBeLessThanOrEqual(ahead.boottime);
  await finishes(target, running.wait());
});

test('a clock that is not ahead needs no namespace, on this boot and on another', async () => {
  const target = startTarget([clocks()]);
  target.says('ready');
  roundTrip(target.pid);
  expect(timeOf(target.pid)).toBe(timeOf('self'));
  const { running } = restartImage(imageElsewhere(target.pid, otherBoot));
  expect(timeOf(target.pid)).toBe(timeOf('self'));
  await finishes(target, running.wait());
});

test('a process is restarted, and it is said, where its clocks cannot be had', (context) => {
  const target = startAhead(context);
  const image = imageOf(target.pid, { kill: true });
  waitForEnd(target.pid);
  const system = host.system();
  // More than the kernel allows is wanted of a clock that is so far behind.
  const impossible = { monotonic: -4_611_686_000n * 1_000_000_000n, boottime: 0n };
  const here = { ...system.clocks, ...impossible };
  const behind = { ...host, system: () => ({ ...system, ...otherBoot, clocks: here }) };
  const { running, plan } = createEngine(behind).restart(0, new MemoryFile(image));
  expect(plan.notes).toEqual([]);
  expect(running.warnings).toEqual([
    'no time namespace could be made (ERANGE): clocks are those of the restarter',
  ]);
});

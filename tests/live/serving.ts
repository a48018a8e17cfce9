import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import { ask, connectionsGone } from './http.ts';
import type { Lab, Program } from './lab.ts';
import { mappings, traits } from './sweep.ts';

interface Answer {
  /** 1 is the first that it was asked. */
  readonly number: number;
  /** Its memory, its file, its libraries are as ever. */
  readonly intact: boolean;
  /** Its timers have gone on since it was asked. */
  readonly ticking: boolean;
}

/** Asks so often, several at a time; no answer is missing, wrong, or given twice. */
async function load(port: number, before: number, count: number): Promise<void> {
  const answers = await Promise.all(
    Array.from({ length: count }, async () => JSON.parse(await ask(port)) as Answer),
  );
  const numbers = answers.map(({ number }) => number).sort((a, b) => a - b);
  expect(numbers).toEqual(numbers.map((_, index) => before + index + 1));
  for (const { intact, ticking } of answers) expect({ intact, ticking }).toEqual(well);
  await connectionsGone(port);
}

const well = { intact: true, ticking: true };

/** A server counts its requests through rounds of checkpoint, kill, restart. */
export async function countsThrough(lab: Lab, server: Program, rounds: number): Promise<void> {
  const [, found] = await server.saw(/listening (\d+)/);
  const port = Number(found);
  const each = 12;
  await load(port, 0, each);
  await lab.goodMeanwhile('checkpoint', '-o', `on-${port}.ckpt`, String(server.pid));
  for (let round = 1; round <= rounds; round++) {
    await load(port, (2 * round - 1) * each, each);
    await lab.cycle(server);
    await load(port, 2 * round * each, each);
  }
  server.kill();
}

const look = (target: Program) => ({ ...traits(target), maps: mappings(target) });

/**
 * A checkpoint leaves nothing behind. What a checkpoint leaves, each of them leaves; what a program
 * maps by itself meanwhile (redis, now and then) is not there another time.
 */
export async function leavesNothing(lab: Lab, target: Program): Promise<void> {
  const image = `left-${target.pid}.ckpt`;
  for (let tries = 5; ; tries--) {
    await settled(target);
    const before = look(target);
    await lab.goodMeanwhile('checkpoint', '--force', '-o', image, String(target.pid));
    const after = look(target);
    if (tries === 1) expect(after).toEqual(before);
    if (isDeepStrictEqual(after, before)) return;
  }
}

/** It maps nothing and opens nothing any more. */
async function settled(target: Program): Promise<void> {
  for (let n = 0, last = look(target); n < 100; n++) {
    await delay(100);
    const now = look(target);
    if (isDeepStrictEqual(now, last)) return;
    last = now;
  }
  throw new Error('it does not come to rest');
}

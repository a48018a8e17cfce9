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
}

interface Counting {
  /** Checks one answer. */
  readonly check: (text: string) => void;
  /** There were so many of them, and none is missing. */
  readonly isWhole: (count: number) => void;
}

/** Checks answers, which come when a timer has ticked: none is wrong, and none is missing or given twice. */
export function counting(): Counting {
  const numbers: number[] = [];
  return {
    check(text) {
      const { number, intact } = JSON.parse(text) as Answer;
      expect(intact).toBe(true);
      numbers.push(number);
    },
    isWhole(count) {
      expect(numbers).toHaveLength(count);
      const sorted = numbers.toSorted((a, b) => a - b);
      expect(sorted).toEqual(sorted.map((_, index) => (sorted[0] ?? 0) + index));
    },
  };
}

/** Asks so often, several at a time; no answer is missing, wrong, or given twice. */
async function load(port: number, before: number, count: number): Promise<void> {
  const { check, isWhole } = counting();
  const first = await Promise.all(
    Array.from({ length: count }, async () => {
      const text = await ask(port);
      check(text);
      return (JSON.parse(text) as Answer).number;
    }),
  );
  isWhole(count);
  expect(Math.min(...first)).toBe(before + 1);
  await connectionsGone(port);
}

/** Waits until a server answers. */
export async function answers(server: Program, port: number, path: string): Promise<string> {
  for (;;) {
    try {
      return await ask(port, path);
    } catch (error) {
      if (!server.alive()) throw error;
      await delay(20);
    }
  }
}

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

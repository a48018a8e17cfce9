import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { bundle } from '../../packages/linux/src/testing/bundle.ts';
import { descriptors, type Finished, type Lab, type Program } from './lab.ts';

const bundled = (name: string) => bundle(new URL(`programs/${name}.ts`, import.meta.url));
const checkpointer = await bundled('killed-checkpoint');
const restarter = await bundled('killed-restart');

/** Command that makes a checkpoint and is killed at a point, or says what points there are. */
export const killed = (pid: number, point: string | number, image: string): readonly string[] => [
  checkpointer,
  ...[String(pid), String(point), image],
];

/** What a checkpoint must not change. */
export function traits(target: Program): Record<string, unknown> {
  const threads = readdirSync(`/proc/${String(target.pid)}/task`);
  return {
    threads,
    masks: threads.map((tid) => {
      const status = readFileSync(`/proc/${String(target.pid)}/task/${tid}/status`, 'latin1');
      return /^SigBlk:.*$/m.exec(status)?.[0];
    }),
    ignored: target.status('SigIgn'),
    caught: target.status('SigCgt'),
    descriptors: descriptors(target.pid),
    limits: readFileSync(`/proc/${String(target.pid)}/limits`, 'utf8'),
  };
}

/** Mappings without those of thread stacks that come and go: for programs that map nothing by themselves. */
export function mappings(target: Program): string {
  return readFileSync(`/proc/${String(target.pid)}/maps`, 'utf8');
}

/** Nothing traces it, and none of its threads is stopped for long. */
export async function isFree(target: Program): Promise<void> {
  const end = Date.now() + 2000;
  for (;;) {
    const state = target.state();
    if (target.status('TracerPid') === '0' && (state === 'S' || state === 'R')) return;
    if (Date.now() > end)
      throw new Error(`it is ${String(state)}, traced by ${target.status('TracerPid')}`);
    await delay(2);
  }
}

/** Runs the checkpoint that ends at the n-th point. */
export function killedAt(
  lab: Lab,
  target: Program,
  n: number,
  image: string,
  ...how: readonly 'kill'[]
): Finished {
  const args = killed(target.pid, n, lab.path(image));
  return lab.run(process.execPath, [...args, ...how]);
}

export function restartKilledAt(lab: Lab, image: string, n: number): Finished {
  return lab.run(process.execPath, [restarter, lab.path(image), String(n)]);
}

/** How many points a checkpoint of this target has. */
export function countPoints(lab: Lab, target: Program): number {
  const { status, stdout, stderr } = killedAt(lab, target, 0, 'points.ckpt');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return Number(stdout);
}

/** Numbers from 1 to `count`: all, or so many of them, evenly spread. */
export function spread(count: number, most: number): number[] {
  const step = Math.max(1, count / most);
  return [
    ...new Set(Array.from({ length: Math.min(count, most) }, (_, i) => 1 + Math.floor(i * step))),
  ];
}

/** Random moments, the same ones for a seed (mulberry32). */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

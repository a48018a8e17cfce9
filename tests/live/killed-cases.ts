import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { isDying, stubs, until } from '../../packages/linux/src/testing/process-facts.ts';
import type { Lab, Program } from './lab.ts';
import {
  countPoints,
  isFree,
  killedAt,
  mappings,
  random,
  restartKilledAt,
  spread,
  traits,
} from './sweep.ts';

const lines = (path: string) => readFileSync(path, 'utf8').trim().split('\n').map(Number);

/** A counter goes on unharmed, whichever point of its checkpoint was the last. */
export async function counterOutlives(lab: Lab, mostPoints: number): Promise<void> {
  const file = lab.path('count.txt');
  const target = lab.start(lab.compile('counter'), [file]);
  await delay(100);
  const points = countPoints(lab, target);
  const before = traits(target);
  const maps = mappings(target);
  expect(points).toBeGreaterThan(20);
  let killed = 0;
  const numbers = spread(points, mostPoints);
  for (const n of numbers) {
    const reached = lines(file).length;
    if (killedAt(lab, target, n, 'killed.ckpt').status !== 0) killed++;
    await isFree(target);
    for (let wait = 0; lines(file).length <= reached + 1; wait++) {
      if (wait > 500) throw new Error(`it does not count on after point ${String(n)}`);
      await delay(5);
    }
  }
  // One checkpoint may have a stop more than another.
  expect(killed).toBeGreaterThan(numbers.length - 4);
  expect(traits(target)).toEqual(before);
  expect(mappings(target)).toBe(maps);
  const counted = lines(file);
  expect(counted).toEqual(counted.map((_, index) => index + 1));
  target.kill();
  await target.gone();
}

/** Whichever point of a checkpoint was the last, a program goes on, and has nothing more than before. */
async function outlives(
  lab: Lab,
  target: Program,
  mostPoints: number,
  goesOn: () => Promise<unknown>,
): Promise<void> {
  const points = countPoints(lab, target);
  const before = traits(target);
  for (const n of spread(points, mostPoints)) {
    killedAt(lab, target, n, 'killed.ckpt');
    await isFree(target);
    await goesOn();
  }
  expect(traits(target)).toEqual(before);
}

/** Threads that wait for each other go on doing so. */
export async function threadsOutlive(lab: Lab, mostPoints: number): Promise<void> {
  const target = lab.start(lab.compile('threads'), ['4']);
  await target.saw(/round 100/);
  await outlives(lab, target, mostPoints, () => target.saw(/round/, target.text().length));
  target.kill('SIGTERM');
  await target.saw(/done \d+ of \d+/);
  expect(target.text()).not.toContain('BAD');
  await target.gone();
}

/** A sleep keeps its time through so many checkpoints that were killed at random moments. */
export async function sleepOutlives(lab: Lab, kills: number, seed: number): Promise<void> {
  const sleepMs = 400 * kills + 2000;
  const target = lab.start(lab.compile('sleeper'), ['nanosleep', String(sleepMs)]);
  await target.saw(/begin/);
  const started = Date.now();
  const next = random(seed);
  let killed = 0;
  while (killed < kills && Date.now() - started < sleepMs - 1500) {
    const image = `random-${String(seed)}.ckpt`;
    const args = ['checkpoint', '--force', '-o', image, String(target.pid)];
    const child = lab.background(...args);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await delay(60 + next() * 250);
    child.kill('SIGKILL');
    await ended;
    killed++;
  }
  const lastMs = Date.now() - started;
  expect(killed).toBeGreaterThan(kills / 2);
  await isFree(target);
  const end = /end (-?\d+) errno \d+ after (\d+) ms/;
  const [, result, ms] = await target.saw(end, 0, sleepMs + 10_000);
  expect(Number(result)).toBe(0);
  expect(Number(ms)).toBeGreaterThanOrEqual(sleepMs);
  // One that began anew when it was last interrupted would end then.
  expect(Number(ms)).toBeLessThan(sleepMs + lastMs - 500);
}

/** No image has the name that was asked for before it is whole. */
export async function nameIsKept(lab: Lab, mostPoints: number): Promise<void> {
  const target = lab.start(lab.compile('counter'), [lab.path('name.txt')]);
  await delay(50);
  for (const n of spread(countPoints(lab, target), mostPoints)) {
    killedAt(lab, target, n, 'never.ckpt');
    expect(existsSync(lab.path('never.ckpt'))).toBe(false);
  }
  target.kill();
  await target.gone();
}

/** Whichever point of a restart was the last: all of the process is there, or nothing. */
export async function allOrNothing(lab: Lab, mostPoints: number): Promise<void> {
  const target = lab.start(lab.compile('threads'), ['4']);
  await target.saw(/round 100/);
  lab.good('checkpoint', '--kill', '--force', '-o', 'restart.ckpt', String(target.pid));
  await target.gone();
  target.restarted();
  const counted = restartKilledAt(lab, 'restart.ckpt', 0);
  expect(counted.stderr).toBe('');
  target.kill();
  await target.gone();
  for (const n of spread(Number(counted.stdout), mostPoints)) {
    const from = target.text().length;
    restartKilledAt(lab, 'restart.ckpt', n);
    await delay(20);
    while (target.alive() && isDying(target.pid)) await delay(5);
    if (target.alive()) {
      // Past the point of no return: then all threads are there, and run.
      expect(readdirSync(`/proc/${String(target.pid)}/task`)).toHaveLength(5);
      await isFree(target);
      await target.saw(/round/, from);
      target.kill();
    }
    await target.gone();
    // What it had begun with is a child of the tests by then; stubs of other tests are not.
    await until(() => stubs(process.pid).length === 0, 'nothing is left behind');
  }
}

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { Lab } from './lab.ts';
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

const lab = new Lab();
afterAll(() => {
  lab.close();
});

const lines = (path: string) => readFileSync(path, 'utf8').trim().split('\n').map(Number);

describe('SIGKILL of the checkpointer', () => {
  test('at every point leaves a counting program unharmed', { timeout: 240_000 }, async () => {
    const file = lab.path('count.txt');
    const target = lab.start(lab.compile('counter'), [file]);
    await delay(100);
    const points = countPoints(lab, target);
    const before = traits(target);
    const maps = mappings(target);
    expect(points).toBeGreaterThan(20);
    for (const n of spread(points, 60)) {
      const reached = lines(file).length;
      expect(killedAt(lab, target, n, 'killed.ckpt').status).not.toBe(0);
      await isFree(target);
      for (let wait = 0; lines(file).length <= reached + 1; wait++) {
        if (wait > 500) throw new Error(`it does not count on after point ${String(n)}`);
        await delay(5);
      }
    }
    expect(traits(target)).toEqual(before);
    expect(mappings(target)).toBe(maps);
    const counted = lines(file);
    expect(counted).toEqual(counted.map((_, index) => index + 1));
    target.kill();
  });

  test(
    'at every point keeps a sleep of many threads as long as it was',
    { timeout: 240_000 },
    async () => {
      const target = lab.start(lab.compile('threads'), ['4']);
      await target.saw(/round 100/);
      const points = countPoints(lab, target);
      const before = traits(target);
      for (const n of spread(points, 30)) {
        const from = target.text().length;
        killedAt(lab, target, n, 'killed.ckpt');
        await isFree(target);
        await target.saw(/round/, from);
      }
      expect(traits(target)).toEqual(before);
      target.kill('SIGTERM');
      await target.saw(/done \d+ of \d+/);
      expect(target.text()).not.toContain('BAD');
    },
  );

  test(
    'at random moments does not shorten or prolong a nanosleep',
    { timeout: 120_000 },
    async () => {
      const target = lab.start(lab.compile('sleeper'), ['nanosleep', '9000']);
      await target.saw(/begin/);
      const started = Date.now();
      const next = random(1);
      let killed = 0;
      while (Date.now() - started < 8000 && killed < 30) {
        const child = lab.background(
          'checkpoint',
          '--force',
          '-o',
          'random.ckpt',
          String(target.pid),
        );
        const ended = new Promise((resolve) => child.once('exit', resolve));
        await delay(80 + next() * 120);
        child.kill('SIGKILL');
        await ended;
        killed++;
      }
      await isFree(target);
      const [, result, ms] = await target.saw(/end (-?\d+) errno \d+ after (\d+) ms/);
      expect(Number(result)).toBe(0);
      expect(Number(ms)).toBeGreaterThanOrEqual(9000);
      expect(Number(ms)).toBeLessThan(9300);
    },
  );

  test('leaves no image under the name that was asked for', async () => {
    const target = lab.start(lab.compile('counter'), [lab.path('name.txt')]);
    await delay(50);
    const points = countPoints(lab, target);
    for (const n of spread(points, 8)) {
      killedAt(lab, target, n, 'never.ckpt');
      expect(existsSync(lab.path('never.ckpt'))).toBe(false);
    }
    target.kill();
  });
});

describe('SIGKILL of the restarter', () => {
  test('leaves all of the process or nothing of it', { timeout: 240_000 }, async () => {
    const target = lab.start(lab.compile('threads'), ['4']);
    await target.saw(/round 100/);
    lab.good('checkpoint', '--kill', '-o', 'restart.ckpt', String(target.pid));
    await target.gone();
    target.restarted();
    const counted = restartKilledAt(lab, 'restart.ckpt', 0);
    expect(counted.stderr).toBe('');
    const points = Number(counted.stdout);
    target.kill();
    await target.gone();
    for (const n of spread(points, 40)) {
      const from = target.text().length;
      restartKilledAt(lab, 'restart.ckpt', n);
      await delay(20);
      if (target.alive()) {
        // Past the point of no return: then all threads are there, and run.
        expect(readdirSync(`/proc/${String(target.pid)}/task`)).toHaveLength(5);
        await isFree(target);
        await target.saw(/round/, from);
        target.kill();
        await target.gone();
      }
      expect(strays(target.pid)).toEqual([]);
    }
  });
});

/** Processes that a restart might have left: stubs, or a part of the target. */
function strays(pid: number): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const exe = readFileSync(`/proc/${name}/cmdline`, 'latin1');
        const state = readFileSync(`/proc/${name}/stat`, 'latin1').split(') ')[1]?.[0];
        return state !== 'Z' && (Number(name) === pid || exe.startsWith('ckpt-stub'));
      } catch {
        return false;
      }
    });
}

import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { Lab, type Program } from './lab.ts';

// How each call goes on, in a second each: packages/linux/src/resources/sleep.kernel.test.ts.

const lab = new Lab();
afterAll(() => {
  lab.close();
});

describe('a long system call', () => {
  /** How long it took, as the program saw it, and what it returned. */
  async function outcome(program: Program) {
    const [, result, errno, ms] = await program.saw(
      /end (-?\d+) errno (\d+) after (\d+) ms/,
      0,
      40_000,
    );
    return { result: Number(result), errno: Number(errno), ms: Number(ms) };
  }

  const refusedTime = { result: -1, errno: 110 };
  const timedOut = { result: 0, errno: 0 };
  const expected = (call: string) => (call === 'futex' ? refusedTime : timedOut);

  test.concurrent(
    'lasts as long as ever when it is checkpointed',
    { timeout: 60_000 },
    async () => {
      const calls = ['nanosleep', 'absolute', 'poll', 'pselect', 'epoll'];
      const sleepers = calls.map((call) => lab.start(lab.compile('sleeper'), [call, '18000']));
      await delay(2000);
      const checkpoint = ({ pid }: Program) =>
        lab.goodMeanwhile('checkpoint', '-o', `sleep-${String(pid)}.ckpt`, String(pid));
      await Promise.all(sleepers.map(checkpoint));
      for (const [index, sleeper] of sleepers.entries()) {
        const { ms, ...got } = await outcome(sleeper);
        const call = calls[index] ?? '';
        expect({ call, ...got }).toEqual({ call, ...expected(call) });
        expect(ms, call).toBeGreaterThanOrEqual(17_999);
        // One that began anew would end 2 seconds late.
        expect(ms, call).toBeLessThan(19_900);
      }
    },
  );

  test.concurrent(
    'ends after a restart after the rest of its time',
    { timeout: 90_000 },
    async () => {
      const calls = ['nanosleep', 'absolute', 'select', 'futex', 'epoll'];
      const wholeMs = 24_000;
      const sleepers = calls.map((call) =>
        lab.start(lab.compile('sleeper'), [call, String(wholeMs)]),
      );
      const begin = Date.now();
      await delay(3000);
      const back: number[] = [];
      for (const sleeper of sleepers) {
        await lab.cycle(sleeper);
        back.push(Date.now() - begin);
      }
      for (const [index, sleeper] of sleepers.entries()) {
        const call = calls[index] ?? '';
        const { ms, ...got } = await outcome(sleeper);
        expect({ call, ...got }).toEqual({ call, ...expected(call) });
        expect(ms, call).toBeGreaterThanOrEqual(wholeMs - 10);
        // One that began anew would wait for the whole time from then on.
        expect(ms, call).toBeLessThan(wholeMs + (back[index] ?? 0) - 500);
      }
    },
  );
});

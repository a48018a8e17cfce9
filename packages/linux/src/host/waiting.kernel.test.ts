import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import {
  adoptTargets,
  imageOf,
  restartImage,
  startTarget,
  waitForEnd,
} from '../testing/round-trip.ts';
import { pause, program, type Target } from '../testing/target.ts';

beforeAll(adoptTargets);

/** Milliseconds: of each call, and of it before the process is stopped for the last time. */
const whole = 2000;
const before = 1300;

const timedOut: Readonly<Record<string, string>> = {
  epoll_wait: '0 0',
  epoll_pwait: '0 0',
  epoll_pwait2: '0 0',
  sigtimedwait: '-1 EAGAIN',
  semtimedop: '-1 EAGAIN',
  receive: '-1 EAGAIN',
  accept: '-1 EAGAIN',
  io_uring: '-1 ETIME',
  ppoll: '0 0',
  select: '0 0',
  poll: '0 0',
  nanosleep: '0 0',
  clock_nanosleep: '0 0',
  futex: '-1 ETIMEDOUT',
};
/** What is left of these only the kernel knows, and does not tell: the whole time again. */
const wholeAgain = new Set(['receive', 'accept']);

/** All threads are in their calls. */
function waits(pid: number): boolean {
  const tids = readdirSync(`/proc/${pid}/task`);
  const calls = tids.map((tid) => readFileSync(`/proc/${pid}/task/${tid}/syscall`, 'latin1'));
  return tids.length > Object.keys(timedOut).length && calls.every((call) => /^\d/.test(call));
}

function start(): Target {
  const target = startTarget([program('waits'), String(whole)]);
  target.until('all threads wait', () => waits(target.pid));
  return target;
}

/** Nobody got EINTR, nobody came back early, or began anew when it was stopped. */
function check({ output }: Target, anewMs: number): void {
  const got = new Map(
    output.split('\n').flatMap((line) => {
      const [name = '', result, error, ms] = line.split(' ');
      return ms === undefined ? [] : [[name, { what: `${result} ${error}`, ms: Number(ms) }]];
    }),
  );
  for (const [name, what] of Object.entries(timedOut)) {
    expect([name, got.get(name)?.what]).toEqual([name, what]);
    const ms = got.get(name)?.ms ?? 0;
    expect(ms, name).toBeGreaterThanOrEqual(whole - 1);
    if (!wholeAgain.has(name)) expect(ms, name).toBeLessThan(anewMs);
  }
}

// What nobody can promise is that a busy machine wakes a thread within a second.
test('calls with a time limit go on with what is left of it', { retry: 2 }, async () => {
  const [kept, killed] = [start(), start()];
  const since = performance.now();
  const elapsed = (): number => performance.now() - since;
  for (const at of [before / 2, before]) {
    pause(Math.max(0, at - elapsed()));
    imageOf(kept.pid);
  }
  const stoppedMs = elapsed();
  const image = imageOf(killed.pid, { kill: true });
  waitForEnd(killed.pid);
  const { running } = restartImage(image);
  const restartedMs = elapsed();
  expect(await running.wait()).toBe(0);
  kept.says('end', 20_000);
  check(kept, stoppedMs + whole);
  check(killed, restartedMs + whole);
});

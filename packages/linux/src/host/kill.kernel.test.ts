import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { bundle } from '../testing/bundle.ts';
import { freezeProcess } from './freeze.ts';
import { getRegister } from './registers.ts';
import { obstacle, pause, program, Target } from '../testing/target.ts';

let doomed = '';
let target: Target | undefined;

beforeAll(async () => {
  doomed = await bundle('./doomed.ts');
});

afterEach(() => {
  target?.end();
});

/** Runs the checkpointer that ends at a point; returns what it said if it got through. */
function checkpoint({ pid }: Target, point: number, sent?: string): string | undefined {
  const args = [doomed, String(pid), String(point), ...(sent === undefined ? [] : [sent])];
  const { signal, status, stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
  });
  if (signal === 'SIGKILL') return undefined;
  expect([status, stderr]).toEqual([0, '']);
  return stdout;
}

/** What must be the same before and after. */
function facts(of: Target): readonly unknown[] {
  const tasks = of.threads();
  return [
    readFileSync(`/proc/${of.pid}/maps`, 'utf8'),
    ...['TracerPid', 'SigBlk', 'SigPnd', 'ShdPnd', 'SigCgt', 'SigIgn'].map((name) =>
      of.status(name),
    ),
    tasks.map((tid) => /^SigBlk:.*$/m.exec(readFileSync(`/proc/${tid}/status`, 'utf8'))?.[0]),
    tasks.map((tid) => /^SigPnd:.*$/m.exec(readFileSync(`/proc/${tid}/status`, 'utf8'))?.[0]),
  ];
}

/** Kills checkpointers at every point, `from` the first in steps; returns how many points there are. */
function sweep(of: Target, check: () => void, step = 1): number {
  const before = facts(of);
  for (let point = 1; ; point += step) {
    const through = checkpoint(of, point);
    const state = (): string => of.status('State')?.[0] ?? '';
    // What the executor has left to do takes some microseconds.
    of.until(
      `back after point ${point}`,
      () => JSON.stringify(facts(of)) === JSON.stringify(before),
      1000,
    );
    expect(['S', 'R']).toContain(state());
    check();
    if (through !== undefined) return Number(through.split(' ')[0]);
  }
}

describe.skipIf(obstacle() !== undefined)('a checkpointer that is killed at any point', () => {
  test('leaves a sleeper its sleeps, mask and memory', () => {
    const sleeper = (target = new Target([program('sleeper'), '150', '0', '60']));
    sleeper.says('slept 1 ');
    const points = sweep(sleeper, () => {
      expect(sleeper.output).not.toContain('BAD');
    });
    expect(points).toBeGreaterThan(30);
    const slept = sleeper.output.split('\n').length;
    sleeper.until('two more', () => sleeper.output.split('\n').length > slept + 2);
    expect(sleeper.output).not.toMatch(/BAD|interrupted/);
  }, 120_000);

  test('leaves registers and flags of a computation', () => {
    const computing = (target = new Target([program('registers'), '0']));
    computing.says('round 1\n');
    sweep(computing, () => {
      expect(computing.output).not.toContain('BAD');
    });
    const rounds = computing.output.split('\n').length;
    computing.until('two more', () => computing.output.split('\n').length > rounds + 2);
    expect(computing.output).not.toContain('BAD');
  }, 120_000);

  test('leaves threads in conditions, epoll and pipes', () => {
    const threads = (target = new Target([program('threads'), '1000000000']));
    threads.until('eight threads', () => threads.threads().length === 8);
    pause(50);
    sweep(
      threads,
      () => {
        expect(threads.output).not.toContain('BAD');
      },
      5,
    );
  }, 120_000);

  // A call that is made again although its signal came would wait for ever.
  test.each(['pause', 'suspend', 'urgent'])(
    'leaves a signal its effect: %s',
    (how) => {
      const waker = (target = new Target([program('waker'), how]));
      waker.says('go');
      for (let point = 1; ; point++) {
        const through = checkpoint(waker, point, 'SIGUSR1');
        waker.says(`woken ${point} handled ${point}\n`, 2000);
        if (through !== undefined) break;
      }
      expect(waker.output).not.toContain('BAD');
    },
    120_000,
  );

  test('in the middle of a long call is followed by another, which waits for its end', () => {
    const sleeper = (target = new Target([program('sleeper'), '150', '0', '400']));
    sleeper.says('slept 1 ');
    for (let round = 0; round < 3; round++) {
      const slow = spawnSync(process.execPath, [doomed, String(sleeper.pid), 'slow'], {
        encoding: 'utf8',
      });
      expect([slow.signal, slow.stderr]).toEqual(['SIGKILL', '']);
      const next = freezeProcess(sleeper.pid, 1000);
      const [task] = next.tasks;
      // Not in ppoll(2), which the one before called.
      const { registers } = next.thread(task, { tid: task.pid });
      expect(getRegister(registers, 'orig_rax')).not.toBe(271n);
      const answers = next.ask(task, { tid: task.pid }, [{ call: 'getpid', args: [] }]);
      expect(answers[0]?.result).toBe(BigInt(sleeper.pid));
      next.thaw();
    }
    const slept = sleeper.output.split('\n').length;
    sleeper.until('two more', () => sleeper.output.split('\n').length > slept + 2);
    expect(sleeper.output).not.toMatch(/BAD|interrupted/);
  });
});

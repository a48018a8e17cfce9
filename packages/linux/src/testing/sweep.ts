import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { pause, program, type Target } from './target.ts';

/** How programs are started and checkpointers killed. */
export interface Sweep {
  /** The bundled `doomed.ts`. */
  readonly doomed: string;
  /** Checkpointers are killed at every point of the way (1), or at every second ... */
  readonly stride: number;
  readonly start: (command: readonly string[]) => Target;
}

/** Runs a checkpointer that ends at a point; returns what it said, and whether it got through. */
function run(doomed: string, { pid }: Target, point: number | string, ...more: readonly string[]) {
  const args = [doomed, String(pid), String(point), ...more];
  const { signal, status, stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
  });
  expect([signal ?? status, stderr]).toEqual([signal === null ? 0 : 'SIGKILL', '']);
  return { isThrough: signal === null, said: stdout };
}

/** What must be the same before and after. */
function facts(of: Target): string {
  const status = (tid: number, name: string): string =>
    new RegExp(`^${name}:.*$`, 'm').exec(readFileSync(`/proc/${tid}/status`, 'utf8'))?.[0] ?? '';
  const ofProcess = ['TracerPid', 'ShdPnd', 'SigCgt', 'SigIgn'].map((name) => status(of.pid, name));
  const ofThreads = of.threads().map((tid) => [status(tid, 'SigBlk'), status(tid, 'SigPnd')]);
  return [...ofProcess, ...ofThreads.flat(), readFileSync(`/proc/${of.pid}/maps`, 'utf8')].join(
    '\n',
  );
}

/** Sweeps over a program that says BAD when it was harmed; returns how many points there are. */
function sweepOver({ doomed, stride }: Sweep, target: Target): number {
  const before = facts(target);
  for (let point = 1; ; point += stride) {
    const { isThrough, said } = run(doomed, target, point);
    // What the executor has left to do takes some microseconds.
    target.until(`back after point ${point}`, () => facts(target) === before, 1000);
    expect(target.status('State')).toMatch(/^[RS]/);
    expect(target.output).not.toContain('BAD');
    if (isThrough) return Number(said.split(' ')[0]);
  }
}

function goesOn(target: Target): void {
  const lines = target.output.split('\n').length;
  target.until('two more lines', () => target.output.split('\n').length > lines + 2);
  expect(target.output).not.toContain('BAD');
}

/**
 * Milliseconds of a sleep, for ever, and how late it may be: less than it would be if it began
 * anew, and more than a busy machine makes it.
 */
const sleeps = ['800', '0', '600'] as const;

export const sweeps: Readonly<Record<string, (sweep: Sweep) => void>> = {
  'leaves a sleeper its sleeps, mask and memory': (sweep) => {
    const sleeper = sweep.start([program('sleeper'), ...sleeps]);
    sleeper.says('slept 1 ');
    expect(sweepOver({ ...sweep, stride: 1 }, sleeper)).toBeGreaterThan(30);
    goesOn(sleeper);
    expect(sleeper.output).not.toContain('interrupted');
  },

  'leaves registers and flags of a computation': (sweep) => {
    const computing = sweep.start([program('registers'), '0']);
    computing.says('round 1\n');
    sweepOver(sweep, computing);
    goesOn(computing);
  },

  'leaves threads in conditions, epoll and pipes': (sweep) => {
    const threads = sweep.start([program('threads'), '1000000000']);
    threads.until('eight threads', () => threads.threads().length === 8);
    pause(50);
    sweepOver({ ...sweep, stride: sweep.stride * 3 }, threads);
  },

  'leaves a restartable sequence to its abort handler': (sweep) => {
    const sections = sweep.start([program('sections')]);
    sections.says('commits');
    const [, flag = ''] = /stopped at (0x\w+)/.exec(sections.output) ?? [];
    let inside = 0;
    for (let point = 1; ; point += sweep.stride) {
      const { isThrough, said } = run(sweep.doomed, sections, point, '', flag);
      if (said.startsWith('inside')) inside++;
      if (isThrough) break;
    }
    pause(100);
    expect(sections.output).not.toContain('BAD');
    expect(inside).toBeGreaterThan(4);
  },

  ...Object.fromEntries(
    ['pause', 'suspend', 'urgent'].map((how) => [
      // A call that is made again although its signal came would wait for ever.
      `leaves a signal its effect: ${how}`,
      (sweep: Sweep): void => {
        const waker = sweep.start([program('waker'), how]);
        waker.says('go');
        for (let point = 1, turn = 1; ; point += sweep.stride, turn++) {
          const { isThrough } = run(sweep.doomed, waker, point, 'SIGUSR1');
          waker.says(`woken ${turn} handled ${turn}\n`, 2000);
          if (isThrough) break;
        }
        expect(waker.output).not.toContain('BAD');
      },
    ]),
  ),
};

/** Kills checkpointers of a process, one after the other, at random moments. */
export function killAtRandom({ doomed, start }: Omit<Sweep, 'stride'>, times: number): void {
  const sleeper = start([program('sleeper'), ...sleeps]);
  const computing = start([program('registers'), '2']);
  sleeper.says('slept 1 ');
  computing.says('round 1\n');
  for (let i = 0; i < times; i++) {
    const { pid } = i % 2 === 0 ? sleeper : computing;
    const timeout = Math.floor(80 + Math.random() * 100);
    const args = [doomed, String(pid), 'again'];
    spawnSync(process.execPath, args, { timeout, killSignal: 'SIGKILL' });
  }
  goesOn(sleeper);
  goesOn(computing);
  expect(sleeper.output).not.toContain('interrupted');
}

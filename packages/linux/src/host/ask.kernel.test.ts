import { afterEach, describe, expect, test } from 'vitest';
import { obstacle, pause, program, Target } from '../testing/target.ts';
import { freezeProcess } from './freeze.ts';
import type { FrozenProcess } from './frozen-process.ts';
import { Memory } from './memory.ts';

const live = obstacle() === undefined;
let target: Target | undefined;

function start(name: string, ...args: readonly (string | number)[]): Target {
  target = new Target([program(name), ...args.map(String)]);
  return target;
}

afterEach(() => {
  target?.end();
});

function freeze({ pid }: Target): FrozenProcess {
  return freezeProcess(pid, 2000);
}

/** What a checkpoint asks of a thread, and what it asks of the process. */
const ofThread = [
  { call: 'gettid', args: [] },
  { call: 'sigaltstack', args: [0, { out: 24 }] },
  { call: 'prctl', args: [40, { out: 8 }, 0, 0, 0] },
];
const ofProcess = [
  { call: 'getpid', args: [] },
  ...Array.from({ length: 64 }, (_, i) => ({
    call: 'rt_sigaction',
    args: [i + 1, 0, { out: 32 }, 8],
  })),
  ...[0, 1, 2].map((which) => ({ call: 'getitimer', args: [which, { out: 32 }] })),
];

function askAll(frozen: FrozenProcess): void {
  const [task] = frozen.tasks;
  const [leader] = task.threads;
  if (leader === undefined) throw new Error('no thread');
  expect(frozen.ask(task, leader, ofProcess)[0]?.result).toBe(BigInt(task.pid));
  for (const thread of task.threads) {
    expect(frozen.ask(task, thread, ofThread)[0]?.result).toBe(BigInt(thread.tid));
  }
}

describe.skipIf(!live)('remote calls', () => {
  test('bring their arguments and their answers', () => {
    const sleeper = start('sleeper', 60_000, 1, 1000);
    sleeper.says('go');
    const frozen = freeze(sleeper);
    const [task] = frozen.tasks;
    const leader = { tid: task.pid };
    const path = new TextEncoder().encode('/proc/self/comm\0');
    const [opened] = frozen.ask(task, leader, [{ call: 'openat', args: [-100, { in: path }, 0] }]);
    const fd = Number(opened?.result);
    expect(fd).toBeGreaterThan(2);
    const name = frozen.link(task, 'exe')?.split('/').at(-1)?.slice(0, 15) ?? '';
    const [read, closed, again, huge] = frozen.ask(task, leader, [
      { call: 'read', args: [fd, { out: 64 }, 64] },
      { call: 'close', args: [fd] },
      { call: 'close', args: [fd] },
      { call: 'getcwd', args: [{ inout: new Uint8Array(3_000_000).fill(7) }, 3_000_000] },
    ]);
    expect(new TextDecoder().decode(read?.out[0]?.subarray(0, Number(read.result)))).toBe(
      `${name}\n`,
    );
    expect(closed?.result).toBe(0n);
    expect(again?.result).toBe(-9n);
    expect(huge?.out[0]?.at(-1)).toBe(7);
    const [action] = frozen.ask(task, leader, [
      { call: 'rt_sigaction', args: [10, 0, { out: 32 }, 8] },
    ]);
    expect(action?.out[0]?.some((byte) => byte !== 0)).toBe(true);
    frozen.thaw();
  });

  test('that cannot be made are refused by name', () => {
    const sleeper = start('sleeper', 60_000, 1, 1000);
    sleeper.says('go');
    const frozen = freeze(sleeper);
    const [task] = frozen.tasks;
    const leader = { tid: task.pid };
    for (const [call, code] of [
      ['nanosleep', 'EINVAL'],
      ['poll', 'EINVAL'],
      ['nothing', 'ENOSYS'],
    ]) {
      expect(() => frozen.ask(task, leader, [{ call: call ?? '', args: [] }])).toThrow(
        expect.objectContaining({ code }),
      );
    }
    frozen.thaw();
  });

  test('leave a sleep its time, twenty times', () => {
    const sleeper = start('sleeper', 4000, 1, 300);
    sleeper.says('go');
    for (let i = 0; i < 20; i++) {
      pause(60);
      const frozen = freeze(sleeper);
      askAll(frozen);
      frozen.thaw();
    }
    sleeper.says('end', 6000);
    expect(sleeper.output).toMatch(/^go\nslept 1 4\.[012]\d+\nend\n$/);
  });

  test('leave all registers, flags and the red zone as they were, 200 times', () => {
    const computing = start('registers', 2);
    computing.says('round 1\n');
    for (let i = 0; i < 200; i++) {
      const frozen = freeze(computing);
      if (i % 4 !== 3) askAll(frozen);
      frozen.thaw();
      pause(3);
    }
    const rounds = computing.output.split('\n').length;
    computing.until('two more rounds', () => computing.output.split('\n').length > rounds + 2);
    expect(computing.output).not.toContain('BAD');
  });

  test('are made in every thread while threads come and go', () => {
    const threads = start('threads', 2000);
    threads.says('came 4\n');
    for (let i = 0; i < 40; i++) {
      const frozen = freeze(threads);
      expect(frozen.tasks[0].threads.length).toBeGreaterThanOrEqual(4);
      askAll(frozen);
      frozen.thaw();
      pause(5);
    }
    const { length } = threads.output;
    threads.until('more threads', () => threads.output.length > length);
    expect(threads.output).not.toMatch(/BAD|interrupted/);
  });

  test('in a restartable sequence end at its abort handler', () => {
    const sections = start('sections');
    sections.says('commits');
    const flag = BigInt(/stopped at (0x\w+)/.exec(sections.output)?.[1] ?? 0);
    const memory = new Memory(sections.pid);
    let inside = 0;
    for (let i = 0; i < 50; i++) {
      const frozen = freeze(sections);
      const [task] = frozen.tasks;
      const { rseq } = frozen.thread(task, { tid: task.pid });
      if (rseq.criticalSection !== 0n) {
        inside++;
        memory.writeWord(flag, 1n);
      }
      askAll(frozen);
      frozen.thaw();
      pause(1);
    }
    sections.until('the last abort', () => memory.readWord(flag) === 0n);
    expect(sections.output).not.toContain('BAD');
    memory.close();
    expect(inside).toBeGreaterThan(10);
  });

  test('that do not come back are given up, and the thread goes on', () => {
    const sleeper = start('sleeper', 1000, 1, 5000);
    sleeper.says('go');
    const frozen = freezeProcess(sleeper.pid, 1000, { askLimitMs: 100 });
    const [task] = frozen.tasks;
    const leader = { tid: task.pid };
    const [made] = frozen.ask(task, leader, [{ call: 'pipe2', args: [{ out: 8 }, 0] }]);
    const ends = Buffer.from(made?.out[0] ?? []);
    const [from, to] = [ends.readInt32LE(0), ends.readInt32LE(4)];
    const maps = (): string => Buffer.from(frozen.read(task, 'maps') ?? []).toString();
    const before = maps();
    const read = { call: 'read', args: [from, { out: 1 }, 1] };
    expect(() => frozen.ask(task, leader, [read])).toThrow(
      expect.objectContaining({ code: 'ETIMEDOUT' }),
    );
    expect(maps()).toBe(before);
    const closed = frozen.ask(
      task,
      leader,
      [from, to].map((fd) => ({ call: 'close', args: [fd] })),
    );
    expect(closed.map(({ result }) => result)).toEqual([0n, 0n]);
    frozen.thaw();
    sleeper.says('end');
    expect(sleeper.output).not.toContain('BAD');
  });
});

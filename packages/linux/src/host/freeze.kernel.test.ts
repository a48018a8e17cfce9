import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { bundle } from '../testing/bundle.ts';
import { obstacle, pause, program, Target } from '../testing/target.ts';
import { freezeProcess } from './freeze.ts';
import type { FrozenProcess } from './frozen-process.ts';

const targets: Target[] = [];

function start(name: string, ...args: readonly (string | number)[]): Target {
  const target = new Target([program(name), ...args.map(String)]);
  targets.push(target);
  return target;
}

afterEach(() => {
  for (const target of targets.splice(0)) target.end();
});

function freeze(pid: number, deadlineMs = 2000): FrozenProcess {
  return freezeProcess(pid, deadlineMs);
}

const getpid = [{ call: 'getpid', args: [] }];

describe.skipIf(obstacle() !== undefined)('a process that', () => {
  test('is frozen runs nothing, and goes on after', () => {
    const threads = start('threads', 1000);
    threads.says('came 4\n');
    const frozen = freeze(threads.pid);
    const output = threads.output;
    pause(100);
    expect(threads.output).toBe(output);
    expect(threads.status('State')).toMatch(/^t/);
    expect(frozen.frozenMs()).toBeGreaterThan(100);
    frozen.thaw();
    const took = frozen.frozenMs();
    frozen.thaw();
    expect(frozen.frozenMs()).toBe(took);
    threads.until('more', () => threads.output.length > output.length);
    expect(threads.status('TracerPid')).toBe('0');
  });

  test('is stopped by SIGSTOP stays stopped, until SIGCONT', () => {
    const sleeper = start('sleeper', 50, 0, 60);
    sleeper.says('slept 1 ');
    process.kill(sleeper.pid, 'SIGSTOP');
    sleeper.until('stopped', () => sleeper.status('State')?.startsWith('T') === true);
    for (let i = 0; i < 3; i++) {
      const frozen = freeze(sleeper.pid);
      const [task] = frozen.tasks;
      expect(task.stopped).toBe(true);
      expect(frozen.ask(task, { tid: task.pid }, getpid)[0]?.result).toBe(BigInt(sleeper.pid));
      frozen.thaw();
      pause(50);
      expect(sleeper.status('State')).toMatch(/^T/);
    }
    const output = sleeper.output;
    process.kill(sleeper.pid, 'SIGCONT');
    sleeper.until(
      'two more',
      () => sleeper.output.split('\n').length > output.split('\n').length + 1,
    );
  });

  test('gets a signal while it is frozen finds it afterwards', () => {
    for (const how of ['pause', 'suspend']) {
      const waker = start('waker', how);
      waker.says('go');
      for (let i = 1; i <= 5; i++) {
        pause(20);
        const frozen = freeze(waker.pid);
        const [task] = frozen.tasks;
        process.kill(waker.pid, 'SIGUSR1');
        expect(frozen.pendingShared()).toHaveLength(1);
        frozen.ask(task, { tid: task.pid }, getpid);
        frozen.thaw();
        waker.says(`woken ${i} handled ${i}\n`, 1000);
      }
    }
  });

  test('handles every signal that could stop it is asked without one', () => {
    const waker = start('waker', 'urgent');
    waker.says('go');
    for (let i = 1; i <= 5; i++) {
      const frozen = freeze(waker.pid);
      const [task] = frozen.tasks;
      const answers = frozen.ask(task, { tid: task.pid }, [
        ...getpid,
        { call: 'gettid', args: [] },
      ]);
      expect(answers.map(({ result }) => Number(result))).toEqual([waker.pid, waker.pid]);
      frozen.thaw();
    }
    process.kill(waker.pid, 'SIGUSR1');
    waker.says('woken 1 handled 1\n');
    expect(waker.output).not.toContain('BAD');
  });

  test('is killed while it is frozen does not run on', () => {
    const threads = start('threads', 1000);
    threads.says('came 4\n');
    const frozen = freeze(threads.pid);
    const output = threads.output;
    frozen.kill();
    expect(threads.isAlive).toBe(false);
    expect(threads.output).toBe(output);
    frozen.thaw();
  });

  test('dies while it is frozen is said to be gone', () => {
    const sleeper = start('sleeper', 60_000, 1, 60);
    sleeper.says('go');
    const frozen = freeze(sleeper.pid);
    const [task] = frozen.tasks;
    sleeper.end();
    sleeper.until('dead', () => !sleeper.isAlive);
    expect(() => frozen.ask(task, { tid: task.pid }, getpid)).toThrow(
      expect.objectContaining({ code: 'ESRCH' }),
    );
    frozen.thaw();
  });

  test('waits for a vfork child is refused within the deadline, and goes on', () => {
    const vforker = start('vforker', 1500);
    vforker.until('uninterruptible', () => vforker.status('State')?.startsWith('D') === true);
    const started = performance.now();
    expect(() => freeze(vforker.pid, 300)).toThrow(
      expect.objectContaining({
        code: 'ETIMEDOUT',
        message: expect.stringContaining('vfork') as string,
      }),
    );
    expect(performance.now() - started).toBeLessThan(600);
    expect(vforker.status('TracerPid')).toBe('0');
    vforker.says('waited 1.5', 3000);
    freeze(vforker.pid).thaw();
  });
});

describe.skipIf(obstacle() !== undefined)('freezing refuses', () => {
  const refused = (pid: number, code: string, text: string): void => {
    expect(() => freeze(pid)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(text) as string }),
    );
  };

  test('what is no process', () => {
    refused(4_194_305, 'ESRCH', 'no process 4194305');
    refused(0, 'EINVAL', '0 is no process');
    refused(process.pid, 'EINVAL', 'itself');
  });

  test('a thread, and names its process', () => {
    const threads = start('threads', 100_000_000);
    threads.until('threads', () => threads.threads().length > 3);
    const tid = threads.threads().find((id) => id !== threads.pid) ?? 0;
    refused(tid, 'EINVAL', `${tid} is a thread of process ${threads.pid} (`);
  });

  test('a process that is traced, and names the tracer', () => {
    const sleeper = start('sleeper', 60_000, 1, 60);
    const tracer = start('strange', 'tracer', sleeper.pid);
    tracer.says('go');
    refused(sleeper.pid, 'EPERM', `traced by ${tracer.pid} (`);
  });

  test('a zombie, and names its parent', () => {
    const parent = start('strange', 'zombie');
    parent.says('child');
    const child = Number(/child (\d+)/.exec(parent.output)?.[1]);
    refused(child, 'ESRCH', `its parent ${parent.pid} (`);
  });

  test('to ask under seccomp, not to freeze', () => {
    const filtered = start('strange', 'filtered');
    filtered.says('go');
    const frozen = freeze(filtered.pid);
    const [task] = frozen.tasks;
    expect(() => frozen.ask(task, { tid: task.pid }, getpid)).toThrow(
      expect.objectContaining({ code: 'EOPNOTSUPP' }),
    );
    frozen.thaw();
    expect(filtered.isAlive).toBe(true);
  });

  test('somebody else’s process, and freezes one’s own, without privilege', async () => {
    const doomed = await bundle(new URL('../testing/doomed.ts', import.meta.url));
    const nobody = { uid: 65534, gid: 65534 };
    const freezeAs = (pid: number): string => {
      const args = [doomed, String(pid), '0'];
      return spawnSync(process.execPath, args, { ...nobody, encoding: 'utf8' }).stderr;
    };
    const mine = start('sleeper', 60_000, 1, 60);
    mine.says('go');
    expect(freezeAs(mine.pid)).toMatch(/EPERM: no permission to trace .*: run as root/);
    expect(mine.status('TracerPid')).toBe('0');
    const ids = [`--reuid=${nobody.uid}`, `--regid=${nobody.gid}`, '--clear-groups'];
    const theirs = new Target(['setpriv', ...ids, program('sleeper'), '60000', '1', '60']);
    targets.push(theirs);
    theirs.says('go');
    expect(freezeAs(theirs.pid)).toBe('');
  });

  test('nothing of another pid namespace: its threads are asked by their own ids', () => {
    const outer = new Target([
      'unshare',
      '-pf',
      '--mount-proc',
      program('sleeper'),
      '50',
      '0',
      '60',
    ]);
    targets.push(outer);
    outer.says('slept 1 ');
    const [child = ''] = readFileSync(
      `/proc/${outer.pid}/task/${outer.pid}/children`,
      'utf8',
    ).split(' ');
    const frozen = freeze(Number(child));
    const [task] = frozen.tasks;
    expect(frozen.ask(task, { tid: task.pid }, getpid)[0]?.result).toBe(1n);
    frozen.thaw();
    const { length } = outer.output;
    outer.until('more', () => outer.output.length > length + 10);
    expect(outer.output).not.toContain('BAD');
    process.kill(Number(child), 'SIGKILL');
  });
});

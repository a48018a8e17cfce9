import { spawnSync } from 'node:child_process';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { bundle } from '../testing/bundle.ts';
import { killAtRandom, sweeps } from '../testing/sweep.ts';
import { obstacle, program, Target } from '../testing/target.ts';
import { freezeProcess } from './freeze.ts';
import { getRegister } from './registers.ts';

let doomed = '';
const targets: Target[] = [];

beforeAll(async () => {
  doomed = await bundle(new URL('../testing/doomed.ts', import.meta.url));
});

afterEach(() => {
  for (const target of targets.splice(0)) target.end();
});

function start(command: readonly string[]): Target {
  const target = new Target(command);
  targets.push(target);
  return target;
}

describe.skipIf(obstacle() !== undefined)('a checkpointer that is killed', () => {
  // All points of all of them: kill.long.test.ts.
  test.each(Object.entries(sweeps))('%s', (_, sweep) => {
    sweep({ doomed, stride: 4, start });
  });

  test('at random moments leaves a sleep and a computation', () => {
    killAtRandom({ doomed, start }, 10);
  });

  test('in the middle of a long call is followed by another, which waits for its end', () => {
    const sleeper = start([program('sleeper'), '150', '0', '3000']);
    sleeper.says('slept 1 ');
    for (let round = 0; round < 3; round++) {
      const args = [doomed, String(sleeper.pid), 'slow'];
      const slow = spawnSync(process.execPath, args, { encoding: 'utf8' });
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

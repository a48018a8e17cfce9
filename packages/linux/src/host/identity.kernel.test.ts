import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { obstacle, program, Target } from '../testing/target.ts';
import { Identity } from './identity.ts';
import { Tracer } from './ptrace.ts';
import { Seizure } from './seizure.ts';

/** Starts a process under a pid that has just become free; false when somebody else was faster. */
function reuse(pid: number): boolean {
  const script =
    'echo $(($1 - 1)) > /proc/sys/kernel/ns_last_pid; sleep 100 > /dev/null 2>&1 & echo $!';
  const { stdout } = spawnSync('sh', ['-c', script, 'sh', String(pid)], { encoding: 'utf8' });
  const got = Number(stdout);
  if (got !== pid) process.kill(got, 'SIGKILL');
  return got === pid;
}

test.skipIf(obstacle() !== undefined)(
  'a pid that is used again is not mistaken for the same process',
  () => {
    const target = new Target([program('sleeper'), '60000', '1', '60']);
    target.says('go');
    const { pid } = target;
    const identity = new Identity(pid);
    identity.confirm();
    target.end();
    target.until('gone', () => !existsSync(`/proc/${pid}`));
    expect(reuse(pid) || reuse(pid) || reuse(pid)).toBe(true);
    const gone = expect.objectContaining({ code: 'ESRCH' }) as unknown;
    expect(() => {
      identity.confirm();
    }).toThrow(gone);
    expect(() => {
      new Seizure(new Tracer(), identity.proc, pid).stopAll(500);
    }).toThrow(gone);
    expect(target.status('TracerPid')).toBe('0');
    expect(target.status('State')).toMatch(/^S/);
    identity.close();
    target.end();
  },
);

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { obstacle, program, Target } from '../testing/target.ts';
import { Identity } from './identity.ts';
import { Tracer } from './ptrace.ts';
import { Seizure } from './seizure.ts';

/** clone3(2) with a chosen pid: nobody else can be faster, unlike with ns_last_pid. */
const python = `
import ctypes, os, struct, sys
pids = (ctypes.c_int32 * 1)(int(sys.argv[1]))
args = struct.pack('<11Q', 0, 0, 0, 0, 17, 0, 0, 0, ctypes.addressof(pids), 1, 0)
got = ctypes.CDLL(None).syscall(435, args, len(args))
if got == 0:
    for fd in (1, 2): os.dup2(os.open('/dev/null', os.O_WRONLY), fd)
    os.execvp('sleep', ['sleep', '100'])
print(got)`;

/** Starts a process under a pid that has just become free. */
function reuse(pid: number): number {
  return Number(spawnSync('python3', ['-c', python, String(pid)], { encoding: 'utf8' }).stdout);
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
    expect(reuse(pid)).toBe(pid);
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

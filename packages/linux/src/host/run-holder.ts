import { CkptError, errnoName } from '@ckpt/format';
import type { SpawnStep } from '@ckpt/engine';
import { readFileSync } from 'node:fs';
import { at } from './run-error.ts';

const EEXIST = 17;
/** Milliseconds. A killed process can take as long to go when it had much memory. */
const zombieMs = 3000;
/** Milliseconds. What is not in /proc is about to go, or a group or session that stays. */
const unseenMs = 300;

/** State letter and parent of whoever has a pid (proc_pid_stat(5)); undefined when nobody is seen. */
function stateOf(pid: number): { readonly state: string; readonly parent: string } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state = '', parent = ''] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state, parent };
  } catch {
    return undefined;
  }
}

/** Between two tries to make a task. */
export const retryMicroseconds = 5000;

/**
 * Whether it is worth while to try again: somebody has the pid, but seems to be on the way out.
 * @param started performance.now() of the first try.
 */
export function mayRetry(errno: number, pid: number, started: number): boolean {
  if (errno !== EEXIST) return false;
  const found = stateOf(pid);
  const passed = performance.now() - started;
  if (found === undefined) return passed < unseenMs;
  return (found.state === 'Z' || found.state === 'X') && passed < zombieMs;
}

function inUse(pid: number, holder: string | undefined): string {
  const found = stateOf(pid);
  if (found === undefined) {
    const who = holder ?? 'a process group or session of that number';
    return `pid ${pid} is in use by ${who}: end it, or restart in a pid namespace of its own`;
  }
  if (found.state === 'Z') {
    const who = holder ?? `${pid}`;
    return `pid ${pid} is in use: ${who} has ended, but its parent ${found.parent} did not wait for it`;
  }
  return `pid ${pid} is in use by ${holder ?? 'another task'}: end it first (kill ${pid})`;
}

/** Why a task of the wanted id could not be made, and what to do. */
export function cloneFailure(
  step: SpawnStep,
  errno: number,
  holder: (pid: number) => string | undefined,
): CkptError {
  const { pid } = step;
  const name = errnoName(errno) ?? 'EIO';
  switch (name) {
    case 'EEXIST':
      return new CkptError(name, inUse(pid, holder(pid)), at(step));
    case 'EPERM': {
      const remedy =
        'run as root or with CAP_CHECKPOINT_RESTORE, or in namespaces of its own: ' +
        'unshare --user --map-root-user --pid --fork --mount-proc';
      return new CkptError(name, `pid ${pid} may not be chosen; ${remedy}`, at(step));
    }
    case 'EINVAL': {
      const most = readFileSync('/proc/sys/kernel/pid_max', 'latin1').trim();
      const sentence = `pid ${pid} is not possible here (sysctl kernel.pid_max is ${most})`;
      return new CkptError(name, sentence, at(step));
    }
    case 'EAGAIN': {
      const sentence = `no more tasks are allowed (ulimit -u, or pids.max of the cgroup)`;
      return new CkptError(name, sentence, at(step));
    }
    default:
      return new CkptError(name, `task ${pid} could not be made`, at(step));
  }
}

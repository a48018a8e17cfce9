import { CkptError } from '@ckpt/format';
import { decodeText } from '@ckpt/io';
import type { Frozen, Task, Thread } from './frozen.ts';

/** Fields of /proc/PID/stat by their numbers in proc_pid_stat(5), from 3 on. */
export interface ProcStat {
  /** Field 3: R, S, D, T, t, Z, X, I. */
  readonly state: string;
  /** @throws CkptError EIO when there is no such field, or no number in it. */
  field(number: number): bigint;
}

/** Where /proc/PID has a file of one thread; what is the leader's is the task's. */
export const threadPath = ({ pid }: Task, { tid }: Thread, name: string): string =>
  tid === pid ? name : `task/${tid}/${name}`;

/**
 * Reads /proc/PID/stat. The name in it is skipped: it may hold blanks and parentheses.
 * @param thread whose; the leader's unless told.
 * @throws CkptError ESRCH when it is not there.
 */
export function readStat(frozen: Frozen, task: Task, thread: Thread = { tid: task.pid }): ProcStat {
  const path = threadPath(task, thread, 'stat');
  const bytes = frozen.read(task, path);
  if (bytes === undefined) throw new CkptError('ESRCH', `/proc/${task.pid}/${path} is not there`);
  const text = decodeText(bytes);
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .trimEnd()
    .split(' ');
  return {
    state: fields[0] ?? '',
    field(number) {
      const value = fields[number - 3] ?? '';
      if (/^-?\d+$/.test(value)) return BigInt(value);
      throw new CkptError('EIO', `field ${number} of /proc/${task.pid}/${path} is "${value}"`);
    },
  };
}

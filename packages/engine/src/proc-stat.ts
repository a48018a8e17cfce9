import { CkptError } from '@ckpt/format';
import { decodeText } from '@ckpt/io';
import type { Frozen, Task } from './host.ts';

/** Fields of /proc/PID/stat by their numbers in proc_pid_stat(5), from 3 on. */
export interface ProcStat {
  /** Field 3: R, S, D, T, t, Z, X, I. */
  readonly state: string;
  /** @throws CkptError EIO when there is no such field, or no number in it. */
  field(number: number): bigint;
}

/**
 * Reads /proc/PID/stat. The name in it is skipped: it may hold blanks and parentheses.
 * @throws CkptError ESRCH when it is not there.
 */
export function readStat(frozen: Frozen, task: Task): ProcStat {
  const bytes = frozen.read(task, 'stat');
  if (bytes === undefined) throw new CkptError('ESRCH', `/proc/${task.pid}/stat is not there`);
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
      throw new CkptError('EIO', `field ${number} of /proc/${task.pid}/stat is "${value}"`);
    },
  };
}

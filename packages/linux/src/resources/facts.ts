import type { Frozen, Task } from '@ckpt/engine';
import { CkptError } from '@ckpt/format';

/**
 * Bytes of /proc/PID/`path`, which every process has.
 * @throws CkptError ESRCH when they are not there: the process has gone.
 */
export function required(frozen: Frozen, task: Task, path: string): Uint8Array {
  const bytes = frozen.read(task, path);
  if (bytes === undefined) throw new CkptError('ESRCH', `no /proc/${task.pid}/${path}`);
  return bytes;
}

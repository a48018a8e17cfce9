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

/** The same, of what may be long: piece by piece, where the host can. */
export function requiredParts(frozen: Frozen, task: Task, path: string): Iterable<Uint8Array> {
  return frozen.parts?.(task, path) ?? [required(frozen, task, path)];
}

/** TASK_COMM_LEN */
const commSize = 16;

/** Name of a thread: 16 bytes, with a NUL at least. */
export function commOf(frozen: Frozen, task: Task, tid: number): Uint8Array {
  const bytes = required(frozen, task, `task/${tid}/comm`);
  // A name may hold newlines; the last one is procfs's own.
  const end = bytes.at(-1) === 0x0a ? bytes.length - 1 : bytes.length;
  const comm = new Uint8Array(commSize);
  comm.set(bytes.subarray(0, Math.min(end, commSize - 1)));
  return comm;
}

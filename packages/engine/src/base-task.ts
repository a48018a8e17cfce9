import { CkptError } from '@ckpt/format';
import type { BaseTask } from './base-image.ts';
import { commField } from './base-image.ts';
import type { Frozen, Task, Thread } from './frozen.ts';
import { readStat, threadPath } from './proc-stat.ts';

/** linux/prctl.h */
const PR_GET_TID_ADDRESS = 40;

/** proc_pid_stat(5): letter of a state, and its number in linux/sched.h. */
const taskStates: Readonly<Record<string, number>> = { R: 0, S: 1, D: 2, T: 4, I: 0x402 };
const exitStates: Readonly<Record<string, number>> = { X: 0x10, Z: 0x20 };

/** Fields of /proc/PID/stat. */
const field = { exitSignal: 38, exitCode: 52 } as const;

/** clear_child_tid; 0 where the kernel does not tell (CONFIG_CHECKPOINT_RESTORE). */
function clearChildTid(frozen: Frozen, task: Task, thread: Thread): bigint {
  const call = { call: 'prctl', args: [PR_GET_TID_ADDRESS, { out: 8 }, 0, 0, 0] };
  const [answer] = frozen.ask(task, thread, [call]);
  const word = answer?.out[0];
  if (answer === undefined || answer.result < 0n || word?.length !== 8) return 0n;
  return new DataView(word.buffer, word.byteOffset, 8).getBigUint64(0, true);
}

/**
 * Facts of a frozen task as revision 3 has them. A tracee shows state t, which is the freezer's
 * doing: such a task runs, unless a signal had stopped it. set_child_tid of a foreign task cannot
 * be read and is 0.
 * @param tid of the leader or of any other thread: to the base each is a task.
 * @throws CkptError ESRCH for a thread that has ended.
 */
export function baseTask(frozen: Frozen, task: Task, tid: number): BaseTask {
  const thread = task.threads.find((each) => each.tid === tid);
  if (thread === undefined) throw new CkptError('ESRCH', `thread ${tid} has ended`);
  const stat = readStat(frozen, task, thread);
  const unsigned = (number: number): number => Number(BigInt.asUintN(32, stat.field(number)));
  const name = frozen.read(task, threadPath(task, thread, 'comm')) ?? new Uint8Array(0);
  const newline = 10;
  return {
    task: {
      state: task.stopped ? 4 : (taskStates[stat.state] ?? 0),
      exit_state: exitStates[stat.state] ?? 0,
      exit_code: unsigned(field.exitCode),
      exit_signal: unsigned(field.exitSignal),
      set_child_tid: 0n,
      clear_child_tid: clearChildTid(frozen, task, thread),
    },
    comm: commField(name.at(-1) === newline ? name.subarray(0, -1) : name),
  };
}

import type { Call, CheckpointScope, ImageRecord, RestoreScope } from '@ckpt/engine';
import { dumpableModes, type ProcessTask } from '@ckpt/format';

/** prctl(2) */
const PR_GET_DUMPABLE = 3;
const PR_SET_DUMPABLE = 4;
const PR_GET_TSC = 25;
const PR_MCE_KILL = 33;
const PR_MCE_KILL_GET = 34;
const PR_SET_CHILD_SUBREAPER = 36;
const PR_GET_CHILD_SUBREAPER = 37;
const PR_SET_THP_DISABLE = 41;
const PR_GET_THP_DISABLE = 42;
const PR_GET_IO_FLUSHER = 58;
const PR_GET_MDWE = 66;
const PR_GET_MEMORY_MERGE = 68;
const PR_MCE_KILL_SET = 1;
const PR_MCE_KILL_DEFAULT = 2;
const PR_TSC_ENABLE = 1;
/** asm/prctl.h; 1: the instruction works, 0: it faults. */
const ARCH_GET_CPUID = 0x1011;

/** Bytes that modify_ldt(2) can tell, and one: 8192 entries of 8. */
const ldtEnd = 65_537;

/** Highest values of what a prctl(2) sets. */
const thpMax = 3;

const prctl = (option: number, ...args: (number | { out: number })[]): Call => ({
  call: 'prctl',
  args: [option, ...args, 0, 0, 0, 0].slice(0, 5),
});

/** In the order in which {@link settingsOf} takes the answers. */
export const asksTask: readonly Call[] = [
  prctl(PR_GET_DUMPABLE),
  prctl(PR_GET_CHILD_SUBREAPER, { out: 4 }),
  prctl(PR_GET_THP_DISABLE),
  prctl(PR_MCE_KILL_GET),
  prctl(PR_GET_TSC, { out: 4 }),
  { call: 'arch_prctl', args: [ARCH_GET_CPUID, 0] },
  prctl(PR_GET_IO_FLUSHER),
  prctl(PR_GET_MDWE),
  prctl(PR_GET_MEMORY_MERGE),
  { call: 'modify_ldt', args: [0, { out: 8 }, 8] },
];

type Settings = Pick<ProcessTask, 'dumpable' | 'child_subreaper' | 'thp_disable' | 'mce_kill'>;

/** Settings of the process; refuses those that cannot be carried. */
export function settingsOf(scope: CheckpointScope): Settings {
  const answers = scope.answers();
  /** What this kernel does not know, and what needs a privilege to be read, is not set. */
  const result = (index: number, otherwise: number): number => {
    const value = Number(answers[index]?.result ?? -1n);
    return value < 0 ? otherwise : value;
  };
  const word = (index: number, otherwise: number): number => {
    const bytes = answers[index]?.out[0];
    if (bytes?.length !== 4 || result(index, -1) < 0) return otherwise;
    return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  };
  const refuse = (reason: string, remedy: string): void => {
    scope.refuse({ thing: `process ${scope.task.pid}`, reason, remedy });
  };
  if (word(4, PR_TSC_ENABLE) !== PR_TSC_ENABLE) {
    refuse('the time stamp counter is forbidden to it', 'prctl(PR_SET_TSC, PR_TSC_ENABLE)');
  }
  if (result(5, 1) === 0) {
    refuse('the instruction cpuid is forbidden to it', 'arch_prctl(ARCH_SET_CPUID, 1)');
  }
  if (result(6, 0) !== 0) refuse('it is an I/O flusher', 'prctl(PR_SET_IO_FLUSHER, 0)');
  if (result(7, 0) !== 0) {
    refuse('it may not make memory executable (PR_SET_MDWE)', 'start the program without');
  }
  if (result(8, 0) !== 0) {
    scope.note(
      'memory that is mapped after a restart is not merged by itself (PR_SET_MEMORY_MERGE)',
    );
  }
  const segments = result(9, 0);
  // Where there are none to be had, the kernel answers -ENOSYS in 32 bits.
  if (segments > 0 && segments < ldtEnd) {
    refuse('it has segments of its own (modify_ldt(2))', 'use a program without them');
  }
  return {
    dumpable: result(0, dumpableModes.yes),
    child_subreaper: word(1, 0),
    thp_disable: result(2, 0),
    mce_kill: result(3, PR_MCE_KILL_DEFAULT),
  };
}

/** Plans the settings of the process. */
export function restoreSettings(scope: RestoreScope, record: ImageRecord<ProcessTask>): void {
  const { dumpable, child_subreaper: subreaper, thp_disable: thp, mce_kill: mce } = record.value;
  if (thp > thpMax) throw record.invalid('thp_disable', String(thp));
  if (subreaper !== 0) {
    scope.call('process', record, 'prctl', [PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0]);
  }
  if (thp !== 0) {
    const args = [PR_SET_THP_DISABLE, thp & 1, thp & 2, 0, 0];
    scope.call('process', record, 'prctl', args, { what: 'forbid huge pages' });
  }
  if (mce !== PR_MCE_KILL_DEFAULT) {
    const args = [PR_MCE_KILL, PR_MCE_KILL_SET, mce, 0, 0];
    scope.call('process', record, 'prctl', args, { what: 'memory failure policy' });
  }
  if (dumpable === dumpableModes.root) {
    scope.note('the process cannot be dumped: nobody may set "by root alone" again');
  }
  // Credentials change it, so it comes after them.
  const mode = dumpable === dumpableModes.yes ? dumpableModes.yes : dumpableModes.no;
  scope.call('last', record, 'prctl', [PR_SET_DUMPABLE, mode, 0, 0, 0]);
}

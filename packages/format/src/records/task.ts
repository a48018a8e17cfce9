import { i32, u32 } from '../field.ts';
import { payload } from '../follow.ts';
import { hex, objref, oneOf, signal, truth } from '../notation.ts';
import { record, type Infer } from '../struct.ts';
import { CKPT_HDR_TASK, taskFields } from './base.ts';

/** SUID_DUMP_* of linux/sched/coredump.h */
export const dumpableModes = { no: 0, yes: 1, root: 2 };

/** A task of revision 100: the base's 40 bytes, then what is common to its threads. */
export const ProcessTask = record(
  'TASK',
  CKPT_HDR_TASK,
  'A thread group: the 40 bytes of the base, then what its threads share.',
  {
    ...taskFields,
    pid: i32('thread group id'),
    mm: i32('objref of MM', objref),
    files: i32('objref of FILE_TABLE', objref),
    fs: i32('objref of FS', objref),
    sighand: i32('objref of SIGHAND', objref),
    signal: i32('objref of SIGNAL', objref),
    cred: i32('objref of CRED', objref),
    personality: u32('personality(2)', hex),
    dumpable: u32('prctl(2), PR_GET_DUMPABLE', oneOf(dumpableModes)),
    oom_score_adj: i32('proc_pid_oom_score_adj(5), -1000..1000'),
    stopped: u32('signal that stopped it; 0: it runs', signal),
    child_subreaper: u32('prctl(2), PR_GET_CHILD_SUBREAPER', truth),
    thp_disable: u32('prctl(2), PR_GET_THP_DISABLE', oneOf({ no: 0, yes: 1, unless_advised: 3 })),
    mce_kill: u32(
      'prctl(2), PR_MCE_KILL_GET',
      oneOf({ PR_MCE_KILL_LATE: 0, PR_MCE_KILL_EARLY: 1, PR_MCE_KILL_DEFAULT: 2 }),
    ),
  },
  [payload('STRING', 'name of the leader, 16 bytes, padded with NUL')],
);
export type ProcessTask = Infer<typeof ProcessTask>;

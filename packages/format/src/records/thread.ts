import { bytes, i32, u32, u64 } from '../field.ts';
import { after, maybe, payload } from '../follow.ts';
import {
  address,
  byteSize,
  flags,
  hex,
  nanoseconds,
  oneOf,
  signal,
  signals,
  text,
  truth,
} from '../notation.ts';
import { record, type Infer } from '../struct.ts';
import { Cpu } from './cpu.ts';
import { RestartBlock } from './restart-block.ts';

/** SCHED_* of linux/sched.h */
export const schedPolicies = { OTHER: 0, FIFO: 1, RR: 2, BATCH: 3, IDLE: 5, DEADLINE: 6, EXT: 7 };

/** What a thread is. */
export const threadFlags = { EXITED: 1 };

/** What belongs to one thread alone. */
export const Thread = record(
  'THREAD',
  107,
  'What belongs to one thread alone.',
  {
    tid: i32('thread id'),
    flags: u32(
      'EXITED: the leader has, while others run on; of what follows it has its name alone',
      flags(threadFlags),
    ),
    comm: bytes(16, 'name, padded with NUL', text),
    clear_child_tid: u64('set_tid_address(2)', address),
    robust_list: u64('head given to set_robust_list(2)', address),
    robust_list_length: u64('bytes of the head', byteSize),
    rseq: u64('area given to rseq(2); 0: none', address),
    rseq_size: u32('bytes of it', byteSize),
    rseq_signature: u32('signature before abort handlers', hex),
    rseq_flags: u32('flags of the registration', hex),
    altstack_flags: u32(
      'ss_flags of sigaltstack(2)',
      flags({ SS_ONSTACK: 1, SS_DISABLE: 2, SS_AUTODISARM: 0x80000000 }),
    ),
    rseq_cs: u64('word rseq_cs when frozen; 0: outside of a critical section', address),
    altstack: u64('ss_sp of sigaltstack(2)', address),
    altstack_size: u64('ss_size of sigaltstack(2), bytes', byteSize),
    signal_mask: u64('blocked signals', signals),
    timer_slack: u64('nanoseconds (prctl(2), PR_GET_TIMERSLACK)', nanoseconds),
    policy: u32('sched(7)', oneOf(schedPolicies, 'SCHED_')),
    priority: i32('static priority of SCHED_FIFO and SCHED_RR, 1..99; else 0'),
    nice: i32('-20..19'),
    sched_flags: u32(
      'sched_setattr(2)',
      flags({ RESET_ON_FORK: 1, RECLAIM: 2, DL_OVERRUN: 4 }, { prefix: 'SCHED_FLAG_' }),
    ),
    io_priority: u32('class << 13 | level (ioprio_get(2))', hex),
    parent_death_signal: u32('prctl(2), PR_GET_PDEATHSIG', signal),
    no_new_privs: u32('prctl(2), PR_GET_NO_NEW_PRIVS', truth),
    exit_status: u32('of one that has exited, as waitpid(2) gives it', hex),
  },
  [
    maybe(payload('BUFFER', 'affinity mask (sched_getaffinity(2))')),
    maybe(after(Cpu, 'its registers')),
    maybe(after(RestartBlock, 'the sleep that was interrupted')),
  ],
);
export type Thread = Infer<typeof Thread>;

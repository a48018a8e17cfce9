import { taskFields, CKPT_HDR_TASK } from './base.ts';
import {
  address,
  bytes,
  flags,
  hex,
  i32,
  i64,
  octal,
  oneOf,
  record,
  signal,
  signals,
  struct,
  u32,
  u64,
  type Infer,
} from '../struct.ts';

/** A task of revision 100: the base's 40 bytes, then what is common to its threads. STRING comm follows. */
export const ProcessTask = record(
  'TASK',
  CKPT_HDR_TASK,
  'A thread group; its name follows as STRING.',
  {
    ...taskFields,
    pid: i32('thread group id'),
    mm: i32('objref of MM'),
    files: i32('objref of FILE_TABLE'),
    fs: i32('objref of FS'),
    sighand: i32('objref of SIGHAND'),
    signal: i32('objref of SIGNAL'),
    cred: i32('objref of CRED'),
    personality: u32('personality(2)', hex),
    dumpable: u32('prctl(2) PR_GET_DUMPABLE'),
    oom_score_adj: i32('proc_pid_oom_score_adj(5), -1000..1000'),
    stopped: u32('signal that stopped it; 0: runs', signal),
    child_subreaper: u32('prctl(2) PR_GET_CHILD_SUBREAPER'),
    thp_disable: u32('prctl(2) PR_GET_THP_DISABLE'),
    mce_kill: u32('prctl(2) PR_MCE_KILL_GET'),
  },
);
export type ProcessTask = Infer<typeof ProcessTask>;

export const schedPolicies = { OTHER: 0, FIFO: 1, RR: 2, BATCH: 3, IDLE: 5, DEADLINE: 6, EXT: 7 };

/** What belongs to one thread alone. A BUFFER may follow: affinity mask (sched_getaffinity(2)). CPU, CPU_FPU come next. */
export const Thread = record('THREAD', 107, 'A thread; its affinity mask follows as BUFFER.', {
  tid: i32('thread id'),
  flags: u32('none now', hex),
  comm: bytes(16, 'name, NUL padded', { kind: 'text' }),
  clear_child_tid: u64('set_tid_address(2)', address),
  robust_list: u64('set_robust_list(2), head', address),
  robust_list_length: u64('bytes of the head'),
  rseq: u64('rseq(2) area; 0: none', address),
  rseq_size: u32('bytes of it'),
  rseq_signature: u32('signature before abort handlers', hex),
  rseq_flags: u32('flags of the registration', hex),
  altstack_flags: u32(
    'sigaltstack(2) ss_flags',
    flags({ SS_ONSTACK: 1, SS_DISABLE: 2, SS_AUTODISARM: 0x80000000 }),
  ),
  rseq_cs: u64('word rseq_cs when frozen', address),
  altstack: u64('sigaltstack(2) ss_sp', address),
  altstack_size: u64('sigaltstack(2) ss_size, bytes', { kind: 'size' }),
  signal_mask: u64('blocked signals', signals),
  timer_slack: u64('prctl(2) PR_GET_TIMERSLACK, nanoseconds'),
  policy: u32('sched(7)', oneOf(schedPolicies)),
  priority: i32('static priority of SCHED_FIFO and SCHED_RR, 1..99'),
  nice: i32('-20..19'),
  sched_flags: u32('sched_setattr(2) flags', flags({ RESET_ON_FORK: 1 })),
  io_priority: u32('ioprio_get(2)', hex),
  parent_death_signal: u32('prctl(2) PR_GET_PDEATHSIG', signal),
  no_new_privs: u32('prctl(2) PR_GET_NO_NEW_PRIVS'),
  _pad: u32('zero'),
});
export type Thread = Infer<typeof Thread>;

const register = (doc: string) => u64(doc, hex);

/** struct user_regs_struct (sys/user.h) of x86-64, in its order; CPU_FPU follows. */
export const Cpu = record(
  'CPU',
  108,
  'General registers of a thread; the xstate follows as CPU_FPU.',
  {
    tid: i32('thread id'),
    _pad: u32('zero'),
    r15: register('r15'),
    r14: register('r14'),
    r13: register('r13'),
    r12: register('r12'),
    rbp: register('rbp'),
    rbx: register('rbx'),
    r11: register('r11'),
    r10: register('r10'),
    r9: register('r9'),
    r8: register('r8'),
    rax: register('rax; -516 .. -512: interrupted system call'),
    rcx: register('rcx'),
    rdx: register('rdx'),
    rsi: register('rsi'),
    rdi: register('rdi'),
    orig_rax: register('number of the system call; -1: none'),
    rip: register('rip'),
    cs: register('cs'),
    eflags: register('eflags'),
    rsp: register('rsp'),
    ss: register('ss'),
    fs_base: register('fs base'),
    gs_base: register('gs base'),
    ds: register('ds'),
    es: register('es'),
    fs: register('fs'),
    gs: register('gs'),
  },
);
export type Cpu = Infer<typeof Cpu>;

/** Raw payload: the xstate area, NT_X86_XSTATE. */
export const CKPT_HDR_CPU_FPU = 201;

export const restartBlocks = { none: 1, nanosleep: 2, clock_nanosleep: 3, poll: 6, futex: 7 };

/** An interrupted sleep whose remaining time is known. */
export const RestartBlock = record(
  'RESTART_BLOCK',
  106,
  'An interrupted sleep and the time that is left.',
  {
    tid: i32('thread id'),
    kind: u32('which call', oneOf(restartBlocks)),
    clock: i32('clock id (clock_nanosleep(2))'),
    _pad: u32('zero'),
    remaining: i64('nanoseconds'),
    remaining_pointer: u64('where the kernel writes what is left', address),
  },
);
export type RestartBlock = Infer<typeof RestartBlock>;

export const Fs = record('FS', 451, 'Working directory and umask.', {
  objref: i32('number of this object'),
  umask: u32('umask(2)', octal),
  cwd: i32('objref of PATH'),
  root: i32('objref of PATH; 0: the root of the writer'),
});
export type Fs = Infer<typeof Fs>;

/** Credentials; an ARRAY of groups (group ids) follows. */
export const Cred = record(
  'CRED',
  115,
  'Credentials; an ARRAY of gid follows: supplementary groups.',
  {
    objref: i32('number of this object'),
    securebits: u32('prctl(2) PR_GET_SECUREBITS', hex),
    uid: u32('real'),
    euid: u32('effective'),
    suid: u32('saved'),
    fsuid: u32('file system'),
    gid: u32('real'),
    egid: u32('effective'),
    sgid: u32('saved'),
    fsgid: u32('file system'),
    inheritable: u64('capabilities(7)', hex),
    permitted: u64('capabilities(7)', hex),
    effective: u64('capabilities(7)', hex),
    bounding: u64('capabilities(7)', hex),
    ambient: u64('capabilities(7)', hex),
  },
);
export type Cred = Infer<typeof Cred>;

export const Gid = struct('gid', 'A supplementary group.', { gid: u32('group id') });
export type Gid = Infer<typeof Gid>;

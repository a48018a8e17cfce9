import {
  address,
  bytes,
  flags,
  i32,
  oneOf,
  record,
  signal,
  signals,
  struct,
  u32,
  u64,
  type Infer,
} from '../struct.ts';

export const saFlags = {
  SA_NOCLDSTOP: 1,
  SA_NOCLDWAIT: 2,
  SA_SIGINFO: 4,
  SA_RESTORER: 0x04000000,
  SA_ONSTACK: 0x08000000,
  SA_RESTART: 0x10000000,
  SA_NODEFER: 0x40000000,
  SA_RESETHAND: 0x80000000,
};

export const Sighand = record(
  'SIGHAND',
  601,
  'Signal dispositions; an ARRAY of 64 sigaction follows, signal 1 first.',
  {
    objref: i32('number of this object'),
    _pad: u32('zero'),
  },
);
export type Sighand = Infer<typeof Sighand>;

export const Sigaction = struct(
  'sigaction',
  'struct kernel_sigaction of x86-64 (rt_sigaction(2)).',
  {
    handler: u64('0 SIG_DFL, 1 SIG_IGN, or a function', address),
    flags: u64('sa_flags', flags(saFlags)),
    restorer: u64('sa_restorer', address),
    mask: u64('sa_mask', signals),
  },
);
export type Sigaction = Infer<typeof Sigaction>;

export const Signal = record(
  'SIGNAL',
  602,
  'Interval timers (getitimer(2)), microseconds; an ARRAY of rlimit follows, resource 0 first.',
  {
    objref: i32('number of this object'),
    _pad: u32('zero'),
    real_interval: u64('ITIMER_REAL'),
    real_value: u64('time left; 0: off'),
    virtual_interval: u64('ITIMER_VIRTUAL'),
    virtual_value: u64('time left; 0: off'),
    prof_interval: u64('ITIMER_PROF'),
    prof_value: u64('time left; 0: off'),
  },
);
export type Signal = Infer<typeof Signal>;

export const Rlimit = struct('rlimit', 'getrlimit(2); all ones is RLIM_INFINITY.', {
  soft: u64('rlim_cur', { kind: 'hex' }),
  hard: u64('rlim_max', { kind: 'hex' }),
});
export type Rlimit = Infer<typeof Rlimit>;

export const Sigpending = record(
  'SIGPENDING',
  604,
  'Pending signals in their order; an ARRAY of siginfo follows.',
  {
    tid: i32('thread; 0: of the whole process'),
    _pad: u32('zero'),
  },
);
export type Sigpending = Infer<typeof Sigpending>;

export const Siginfo = struct('siginfo', 'siginfo_t, 128 bytes.', {
  signo: i32('signal', signal),
  errno: i32('si_errno'),
  code: i32('si_code (sigaction(2))'),
  rest: bytes(116, 'the union, as the kernel gives it'),
});
export type Siginfo = Infer<typeof Siginfo>;

export const sigevNotify = { SIGEV_SIGNAL: 0, SIGEV_NONE: 1, SIGEV_THREAD: 2, SIGEV_THREAD_ID: 4 };

export const PosixTimer = record('POSIX_TIMER', 605, 'A timer of timer_create(2).', {
  id: i32('kernel timer id'),
  clock: i32('clock id'),
  notify: u32('sigev_notify', oneOf(sigevNotify)),
  signal: u32('sigev_signo', signal),
  tid: i32('thread for SIGEV_THREAD_ID'),
  overrun: i32('timer_getoverrun(2)'),
  value: u64('sigev_value', address),
  interval: u64('nanoseconds'),
  remaining: u64('nanoseconds; 0: off'),
});
export type PosixTimer = Infer<typeof PosixTimer>;

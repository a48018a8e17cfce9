import { i32, reserved, u64 } from '../field.ts';
import { array } from '../follow.ts';
import { limit, microseconds, objref } from '../notation.ts';
import { record, struct, type Infer } from '../struct.ts';

export const Rlimit = struct('rlimit', 'A resource limit (prlimit(2)).', {
  soft: u64('rlim_cur', limit),
  hard: u64('rlim_max', limit),
});
export type Rlimit = Infer<typeof Rlimit>;

/** Resources of the ARRAY behind SIGNAL: RLIMIT_CPU is 0, RLIMIT_RTTIME 15 (asm-generic/resource.h). */
export const rlimitCount = 16;

export const Signal = record(
  'SIGNAL',
  602,
  'What threads of a group share beside dispositions: interval timers (setitimer(2)), limits.',
  {
    objref: i32('number of this object', objref),
    _pad: reserved(),
    real_interval: u64('ITIMER_REAL, microseconds', microseconds),
    real_value: u64('time left, microseconds; 0: off', microseconds),
    virtual_interval: u64('ITIMER_VIRTUAL, microseconds', microseconds),
    virtual_value: u64('time left, microseconds; 0: off', microseconds),
    prof_interval: u64('ITIMER_PROF, microseconds', microseconds),
    prof_value: u64('time left, microseconds; 0: off', microseconds),
  },
  [array(Rlimit, '16 of them, RLIMIT_CPU (0) first')],
);
export type Signal = Infer<typeof Signal>;

import { i32, u32, u64 } from '../field.ts';
import { hex, nanoseconds, oneOf, signal } from '../notation.ts';
import { record, type Infer } from '../struct.ts';

/** sigevent(3type) */
export const sigevNotify = { SIGEV_SIGNAL: 0, SIGEV_NONE: 1, SIGEV_THREAD: 2, SIGEV_THREAD_ID: 4 };

/** linux/time.h; negative numbers are the processor time of a task or thread. */
export const clockIds = {
  CLOCK_REALTIME: 0,
  CLOCK_MONOTONIC: 1,
  CLOCK_PROCESS_CPUTIME_ID: 2,
  CLOCK_THREAD_CPUTIME_ID: 3,
  CLOCK_MONOTONIC_RAW: 4,
  CLOCK_REALTIME_COARSE: 5,
  CLOCK_MONOTONIC_COARSE: 6,
  CLOCK_BOOTTIME: 7,
  CLOCK_REALTIME_ALARM: 8,
  CLOCK_BOOTTIME_ALARM: 9,
  CLOCK_TAI: 11,
};

export const PosixTimer = record('POSIX_TIMER', 605, 'A timer of timer_create(2).', {
  id: i32('number of the timer in the kernel'),
  clock: i32('clock (clock_gettime(2))', oneOf(clockIds, '', { others: true })),
  notify: u32('sigev_notify', oneOf(sigevNotify)),
  signal: u32('sigev_signo', signal),
  tid: i32('thread of SIGEV_THREAD_ID'),
  overrun: i32('timer_getoverrun(2)'),
  value: u64('sigev_value', hex),
  interval: u64('nanoseconds; 0: once', nanoseconds),
  remaining: u64('nanoseconds; 0: off', nanoseconds),
});
export type PosixTimer = Infer<typeof PosixTimer>;

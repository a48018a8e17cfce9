import { i32, i64, u32, u64 } from '../field.ts';
import { flags, nanoseconds, objref, oneOf, truth } from '../notation.ts';
import { record, type Infer } from '../struct.ts';
import { clockIds } from './posix-timer.ts';

/** linux/timerfd.h */
export const timerfdFlags = { TFD_TIMER_ABSTIME: 1, TFD_TIMER_CANCEL_ON_SET: 2 };

export const Timerfd = record('TIMERFD', 313, 'A timer of timerfd_create(2).', {
  objref: i32('number of this object', objref),
  clock: u32('clock (timerfd_create(2))', oneOf(clockIds, '', { others: true })),
  flags: u32('timerfd_settime(2), when it was set', flags(timerfdFlags)),
  armed: u32('1: it runs', truth),
  ticks: u64('expirations that were not read yet'),
  remaining: i64('until the next one', nanoseconds),
  interval: i64('between them; 0: only one', nanoseconds),
});
export type Timerfd = Infer<typeof Timerfd>;

import { i32, i64, reserved, u32, u64 } from '../field.ts';
import { address, nanoseconds, oneOf } from '../notation.ts';
import { record, type Infer } from '../struct.ts';
import { clockIds } from './posix-timer.ts';

/** Numbers of Linux-CR where it had the kind. */
export const restartBlocks = { none: 1, nanosleep: 2, clock_nanosleep: 3, poll: 6, futex: 7 };

/** An interrupted sleep whose remaining time is known. */
export const RestartBlock = record(
  'RESTART_BLOCK',
  106,
  'An interrupted sleep and the time that is left.',
  {
    tid: i32('thread id'),
    kind: u32('which call', oneOf(restartBlocks)),
    clock: i32('clock of clock_nanosleep(2)', oneOf(clockIds, '', { others: true })),
    _pad: reserved(),
    remaining: i64('nanoseconds', nanoseconds),
    remaining_pointer: u64('where the kernel writes what is left; 0: nowhere', address),
  },
);
export type RestartBlock = Infer<typeof RestartBlock>;

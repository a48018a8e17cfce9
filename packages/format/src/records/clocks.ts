import { i64 } from '../field.ts';
import { nanoseconds } from '../notation.ts';
import { record, type Infer } from '../struct.ts';

/** time_namespaces(7): clocks that a namespace may have ahead of, or behind, those of the machine. */
export const Clocks = record('CLOCKS', 814, 'What time it was for the process.', {
  monotonic: i64('CLOCK_MONOTONIC of the process while it stood still, nanoseconds', nanoseconds),
  boottime: i64('CLOCK_BOOTTIME of the process, nanoseconds', nanoseconds),
  monotonic_offset: i64(
    'what its time namespace adds to the CLOCK_MONOTONIC of the machine, nanoseconds',
    nanoseconds,
  ),
  boottime_offset: i64(
    'what its time namespace adds to the CLOCK_BOOTTIME of the machine, nanoseconds',
    nanoseconds,
  ),
});
export type Clocks = Infer<typeof Clocks>;

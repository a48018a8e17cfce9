import type { ClockTimes, System } from '@ckpt/engine';
import { CkptError } from '@ckpt/format';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { parseTimeOffsets, timeOffsetsText } from '../procfs/time-offsets.ts';
import type { Entry } from './run-table.ts';
import { address, stableBytes, syscall } from './syscall.ts';
import { syscallNumbers } from './syscall-numbers.ts';

/** linux/time.h */
const CLOCK_MONOTONIC = 1;
const CLOCK_BOOTTIME = 7;
/** linux/sched.h */
const CLONE_NEWTIME = 0x80n;

/** Nanoseconds. */
function now(clock: number): bigint {
  const time = stableBytes(16);
  syscall('clock_gettime', clock, address(time));
  return time.readBigInt64LE(0) * 1_000_000_000n + time.readBigInt64LE(8);
}

function ownOffsets(): ClockTimes | undefined {
  try {
    return parseTimeOffsets(readFileSync('/proc/self/timens_offsets'));
  } catch {
    // CONFIG_TIME_NS is not set.
    return undefined;
  }
}

/** What time it is for this process. */
export function readClocks(): NonNullable<System['clocks']> {
  const offsets = ownOffsets();
  return {
    ...{ monotonic: now(CLOCK_MONOTONIC), boottime: now(CLOCK_BOOTTIME) },
    ...(offsets === undefined ? {} : { offsets }),
  };
}

/** Children of the caller are made in a new time namespace; the caller stays where it is. */
export const unshareTime: Entry = {
  id: 'time namespace',
  number: syscallNumbers.unshare,
  args: [CLONE_NEWTIME],
  expect: 0n,
  goOn: true,
};

/** Sets the clocks of a namespace that nobody is in yet; returns the name of the errno of a failure. */
export function setTime(pid: number, offsets: ClockTimes): string | undefined {
  let fd;
  try {
    fd = openSync(`/proc/${pid}/timens_offsets`, 'r+');
    writeSync(fd, timeOffsetsText(offsets));
    return undefined;
  } catch (error) {
    if (error instanceof CkptError) throw error;
    return error instanceof Error && 'code' in error ? String(error.code) : 'EIO';
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

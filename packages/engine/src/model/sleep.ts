import type { ModelProcess } from './process.ts';
import { refuse, Unmodelled, Words } from './system-call.ts';

/** linux/errno.h: the kernel goes on with the call by its restart block. */
export const ERESTART_RESTARTBLOCK = -516n;
const second = 1_000_000_000n;
const clocks = [0, 1, 7, 8, 9, 11];

/**
 * Begins a sleep and interrupts it at once: what is left, all of it, is written to where the program
 * wants it. @returns -516, or 0 for a sleep of no time, or a negative errno.
 */
export function beginSleep(process: ModelProcess, name: string, words: readonly bigint[]): bigint {
  const args = new Words(words);
  const isClock = name === 'clock_nanosleep';
  if (!isClock && name !== 'nanosleep') throw new Unmodelled(`sleep ${name}`);
  if (isClock && args.int(1) !== 0) throw new Unmodelled('sleep until a time');
  if (isClock && !clocks.includes(args.int(0))) refuse('EINVAL', `clock ${args.int(0)}`);
  const time = process.user.read(args.word(isClock ? 2 : 0), 16);
  const view = new DataView(time.buffer, time.byteOffset, time.length);
  const [seconds, rest] = [view.getBigInt64(0, true), view.getBigInt64(8, true)];
  if (seconds < 0n || rest < 0n || rest >= second) refuse('EINVAL', 'a time that is none');
  if (seconds === 0n && rest === 0n) return 0n;
  const remaining = args.word(isClock ? 3 : 1);
  if (remaining !== 0n) process.user.write(remaining, time);
  return ERESTART_RESTARTBLOCK;
}

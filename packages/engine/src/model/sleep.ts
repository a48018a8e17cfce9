import type { ModelProcess } from './process.ts';
import { refuse, Unmodelled } from './refuse.ts';
import { Words } from './system-call.ts';

/** linux/errno.h: the kernel goes on with the call by its restart block. */
export const ERESTART_RESTARTBLOCK = -516n;
const second = 1_000_000_000n;
const clocks = [0, 1, 7, 8, 9, 11];

/** struct pollfd */
const pollfdSize = 8;
/** FUTEX_WAIT, private or not, by either clock. */
const isFutexWait = (operation: number): boolean => (operation & ~0x180) === 0;

/** Nanoseconds. @throws CkptError EFAULT, EINVAL. */
function timeAt(process: ModelProcess, address: bigint): bigint {
  const time = process.user.read(address, 16);
  const view = new DataView(time.buffer, time.byteOffset, time.length);
  const [seconds, rest] = [view.getBigInt64(0, true), view.getBigInt64(8, true)];
  if (seconds < 0n || rest < 0n || rest >= second) refuse('EINVAL', 'a time that is none');
  return seconds * second + rest;
}

function sleep(process: ModelProcess, args: Words, isClock: boolean): bigint {
  if (isClock && args.int(1) !== 0) throw new Unmodelled('sleep until a time');
  if (isClock && !clocks.includes(args.int(0))) refuse('EINVAL', `clock ${args.int(0)}`);
  const request = args.word(isClock ? 2 : 0);
  if (timeAt(process, request) === 0n) return 0n;
  const remaining = args.word(isClock ? 3 : 1);
  if (remaining !== 0n) process.user.write(remaining, process.user.read(request, 16));
  return ERESTART_RESTARTBLOCK;
}

function waitForFutex(process: ModelProcess, args: Words): bigint {
  if (!isFutexWait(args.int(1))) throw new Unmodelled(`futex operation ${args.int(1)}`);
  timeAt(process, args.word(3));
  if (args.word(0) % 4n !== 0n) refuse('EINVAL', 'a futex is aligned');
  const word = process.user.read(args.word(0), 4);
  const value = new DataView(word.buffer, word.byteOffset, 4).getUint32(0, true);
  if (value !== args.unsigned(2)) refuse('EAGAIN', 'the futex has another value');
  return ERESTART_RESTARTBLOCK;
}

/** Nothing that it waits for is ever there. */
function poll(process: ModelProcess, args: Words): bigint {
  process.user.read(args.word(0), args.size(1) * pollfdSize);
  return ERESTART_RESTARTBLOCK;
}

/**
 * Begins a sleep and interrupts it at once: what is left, all of it, is written to where the program
 * wants it. @returns -516, or 0 for a sleep of no time. @throws CkptError as the call fails.
 */
export function beginSleep(process: ModelProcess, name: string, words: readonly bigint[]): bigint {
  const args = new Words(words);
  if (name === 'nanosleep' || name === 'clock_nanosleep') {
    return sleep(process, args, name === 'clock_nanosleep');
  }
  if (name === 'futex') return waitForFutex(process, args);
  if (name === 'poll') return poll(process, args);
  throw new Unmodelled(`sleep ${name}`);
}

import type { Answer } from '../call.ts';
import type { FileStat } from '../file-stat.ts';
import { hexOf } from './hex.ts';

export interface NormalizeOptions {
  /** Times that are left are compared to the nanosecond, not only whether there are any. */
  readonly exactTimes?: boolean;
}

/** struct itimerval and itimerspec: the interval, and whether it runs. */
function timer(bytes: Uint8Array): string {
  const isArmed = bytes.subarray(16).some((byte) => byte !== 0);
  return `${hexOf(bytes.subarray(0, 16))} ${isArmed ? 'runs' : 'off'}`;
}

type Show = (bytes: Uint8Array) => string;

/** Calls of whose answers only a part says something that lasts. */
const partial: readonly (readonly [pattern: RegExp, show: Show])[] = [
  // Policy, flags, nice, priority: what follows is what a scheduler makes of it.
  [/ sched_getattr\(/, (bytes) => hexOf(bytes.subarray(0, 24))],
  [/ clock_gettime\(/, () => 'now'],
  // struct tcp_info: state, and of a listening socket who waits and how many may.
  [/ getsockopt\(-1000,6,11,/, (bytes) => `${bytes[0] ?? 0} ${hexOf(bytes.subarray(24, 32))}`],
];

export function normalizeAnswer(
  key: string,
  { result, out }: Answer,
  { exactTimes = false }: NormalizeOptions,
): string {
  const isTimer = / (getitimer|timer_gettime)\(/.test(key);
  const [, show] = partial.find(([pattern]) => pattern.test(key)) ?? ['', hexOf];
  const text = isTimer && !exactTimes ? timer : show;
  return [result.toString(), ...out.map((bytes) => text(bytes))].join(' ');
}

const S_IFMT = 0o170000;
const S_IFREG = 0o100000;

/** Which file it is, is compared where it is one that stays. */
export function normalizeStat(stat: FileStat | undefined): string {
  if (stat === undefined) return 'not there';
  const { mode, nlink, uid, gid, rdev, size } = stat;
  const isRegular = (mode & S_IFMT) === S_IFREG;
  const common = `0${mode.toString(8)} ${uid} ${gid} ${rdev.toString(16)}`;
  if (!isRegular) return common;
  const which = nlink === 0 ? 'deleted' : `${stat.dev.toString(16)}:${stat.ino.toString()}`;
  return `${common} ${size.toString()} ${which}`;
}

import { refuse } from './refuse.ts';
import type { SystemCall, SystemCallOptions, SystemCalls } from './system-call.ts';
import { signalMax } from './signals.ts';

/** signal.h: how a timer tells of its end. */
const SIGEV_SIGNAL = 0;
const SIGEV_NONE = 1;
const SIGEV_THREAD = 2;
const SIGEV_THREAD_ID = 4;
const sigeventSize = 64;
/** linux/time.h; 10 is a hole, 4 to 6 measure no timers. */
const clocks = [0, 1, 2, 3, 7, 8, 9, 11];
const CAP_WAKE_ALARM = 35;
const alarms = [8, 9];
const PR_TIMER_CREATE_RESTORE_IDS = 77;
const idMax = 0x7fff_ffff;
const second = 1_000_000_000n;

/** struct itimerspec: interval and value, each seconds and nanoseconds. */
const specSize = 32;

interface PosixTimer {
  readonly clock: number;
  readonly notify: number;
  readonly signal: number;
  readonly value: bigint;
  readonly tid: number;
  spec: Uint8Array;
}

/** Timers of a process; time stands still here, and none of them ever ends. */
export class TimerState {
  /** struct itimerval of ITIMER_REAL, VIRTUAL, PROF. */
  readonly intervals: Uint8Array[] = [0, 1, 2].map(() => new Uint8Array(specSize));
  readonly posix = new Map<number, PosixTimer>();
  #next = 0;
  choosesIds = false;

  add(timer: PosixTimer, wanted: number): number {
    if (this.choosesIds) {
      if (this.posix.has(wanted)) refuse('EBUSY', `there is a timer ${wanted}`);
      this.posix.set(wanted, timer);
      return wanted;
    }
    while (this.posix.has(this.#next)) this.#next++;
    const id = this.#next++;
    this.posix.set(id, timer);
    return id;
  }

  at(id: number): PosixTimer {
    return this.posix.get(id) ?? refuse('EINVAL', `there is no timer ${id}`);
  }

  /** /proc/PID/timers */
  text(pid: number): string {
    const entries = [...this.posix].sort(([a], [b]) => a - b);
    const lines = entries.map(([id, { clock, notify, signal, value, tid }]) => {
      const isThread = (notify & SIGEV_THREAD_ID) !== 0;
      const how = ['signal', 'none', 'thread'][notify & ~SIGEV_THREAD_ID] ?? '';
      const word = value.toString(16).padStart(16, '0');
      const whom = isThread ? `tid.${tid}` : `pid.${pid}`;
      return `ID: ${id}\nsignal: ${signal}/${word}\nnotify: ${how}/${whom}\nClockID: ${clock}\n`;
    });
    return lines.join('');
  }
}

/** Checks seconds and fractions of both times. @throws CkptError EINVAL */
function checkTimes(bytes: Uint8Array, fractionMax: bigint): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (const at of [0, 16]) {
    const fraction = view.getBigInt64(at + 8, true);
    if (view.getBigInt64(at, true) < 0n || fraction < 0n || fraction >= fractionMax) {
      refuse('EINVAL', 'a time that is none');
    }
  }
}

const timerCreate: SystemCall = ({ process, thread }, args) => {
  const clock = args.int(0);
  if (!clocks.includes(clock) && clock >= 0) refuse('EINVAL', `clock ${clock}`);
  if (alarms.includes(clock) && !thread.credentials.can(CAP_WAKE_ALARM)) refuse('EPERM');
  const event = args.word(1) === 0n ? undefined : process.user.view(args.word(1), sigeventSize);
  const notify = event?.getInt32(12, true) ?? SIGEV_SIGNAL;
  const signal = event?.getInt32(8, true) ?? 14;
  const tid = event?.getInt32(16, true) ?? 0;
  const known = [SIGEV_SIGNAL, SIGEV_NONE, SIGEV_THREAD, SIGEV_SIGNAL | SIGEV_THREAD_ID];
  if (!known.includes(notify)) refuse('EINVAL', `notification ${notify}`);
  const isThread = (notify & SIGEV_THREAD_ID) !== 0;
  if (isThread && !process.threads.has(tid)) refuse('EINVAL', `there is no thread ${tid}`);
  if (notify !== SIGEV_NONE && (signal < 1 || signal > signalMax)) {
    refuse('EINVAL', `signal ${signal}`);
  }
  const at = args.word(2);
  const { choosesIds } = process.timers;
  const wanted = choosesIds ? process.user.view(at, 4).getInt32(0, true) : 0;
  if (wanted < 0 || wanted > idMax) refuse('EINVAL', `timer ${wanted}`);
  const value = event?.getBigUint64(0, true) ?? 0n;
  const timer = { clock, notify, signal, value, tid, spec: new Uint8Array(specSize) };
  const id = process.timers.add(timer, wanted);
  process.user.putInt(at, id);
  return 0;
};

export const timerCalls: SystemCalls = {
  getitimer: ({ process }, args) => {
    const value = process.timers.intervals[args.int(0)] ?? refuse('EINVAL', 'which timer');
    process.user.write(args.word(1), value);
    return 0;
  },
  setitimer: ({ process }, args) => {
    const { intervals } = process.timers;
    const which = args.int(0);
    const before = intervals[which] ?? refuse('EINVAL', 'which timer');
    const next =
      args.word(1) === 0n ? new Uint8Array(specSize) : process.user.read(args.word(1), specSize);
    checkTimes(next, 1_000_000n);
    if (args.word(2) !== 0n) process.user.write(args.word(2), before);
    intervals[which] = next;
    return 0;
  },
  timer_create: timerCreate,
  timer_settime: ({ process }, args) => {
    const timer = process.timers.at(args.int(0));
    const next = process.user.read(args.word(2), specSize);
    checkTimes(next, second);
    if (args.word(3) !== 0n) process.user.write(args.word(3), timer.spec);
    timer.spec = next;
    return 0;
  },
  timer_gettime: ({ process }, args) => {
    process.user.write(args.word(1), process.timers.at(args.int(0)).spec);
    return 0;
  },
  timer_getoverrun: ({ process }, args) => {
    process.timers.at(args.int(0));
    return 0;
  },
  timer_delete: ({ process }, args) => {
    process.timers.at(args.int(0));
    process.timers.posix.delete(args.int(0));
    return 0;
  },
};

export const timerPrctls: SystemCallOptions = new Map<number, SystemCall>([
  [
    PR_TIMER_CREATE_RESTORE_IDS,
    ({ process }, args) => {
      const [major, minor] = process.machine.system.kernel;
      if (major < 6 || (major === 6 && minor < 15)) refuse('EINVAL', 'Linux 6.15 and newer');
      const { timers } = process;
      if (args.int(1) === 2) return timers.choosesIds ? 1 : 0;
      if (args.word(1) > 1n) refuse('EINVAL', 'on or off');
      timers.choosesIds = args.int(1) === 1;
      return 0;
    },
  ],
]);

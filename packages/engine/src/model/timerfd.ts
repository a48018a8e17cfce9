import type { FileStat } from '../file-stat.ts';
import { anonymousInode, anonymousStat } from './eventfd.ts';
import type { FileObject, OpenFile } from './open-file.ts';
import { refuse, Unmodelled } from './refuse.ts';
import type { Caller, SystemCall, SystemCalls, Words } from './system-call.ts';

const O_RDWR = 2;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
const TFD_TIMER_ABSTIME = 1;
const TFD_TIMER_CANCEL_ON_SET = 2;
/** _IOW('T', 0, __u64) of linux/timerfd.h. */
const TFD_IOC_SET_TICKS = 0x4008_5400;
const clocks = [0, 1, 7, 8, 9];
const alarms = [8, 9];
const CAP_WAKE_ALARM = 35;
const CLOCK_REALTIME = 0;
const second = 1_000_000_000n;
/** poll(2) */
const POLLIN = 1;

const timeText = (time: bigint): string => `(${time / second}, ${time % second})`;

/** A timer of timerfd_create(2). Time stands still: only what is due at once goes off. */
class TimerFile implements FileObject {
  readonly clock: number;
  flags = 0;
  ticks = 0n;
  /** Nanoseconds. */
  remaining = 0n;
  interval = 0n;

  constructor(clock: number) {
    this.clock = clock;
  }

  link(): string {
    return 'anon_inode:[timerfd]';
  }

  stat(): FileStat {
    return anonymousStat(anonymousInode);
  }

  lines(): string {
    const flags = `settime flags: 0${this.flags.toString(8)}`;
    const times = `it_value: ${timeText(this.remaining)}\nit_interval: ${timeText(this.interval)}`;
    return `clockid: ${this.clock}\nticks: ${this.ticks.toString()}\n${flags}\n${times}\n`;
  }

  poll(): number {
    return this.ticks > 0n ? POLLIN : 0;
  }

  ioctl({ process }: Caller, _file: OpenFile, args: Words): number {
    if (args.unsigned(1) !== TFD_IOC_SET_TICKS) refuse('ENOTTY', 'a timer has no such ioctl');
    const ticks = process.user.view(args.word(2), 8).getBigUint64(0, true);
    if (ticks === 0n) refuse('EINVAL', 'no ticks');
    this.ticks = ticks;
    return 0;
  }

  /** Times in nanoseconds; what is due in a nanosecond has gone off by now. */
  set(flags: number, value: bigint, interval: bigint): void {
    const isDue = value > 0n && value <= 1n;
    Object.assign(this, { flags, interval, ticks: isDue ? 1n : 0n, remaining: isDue ? 0n : value });
  }
}

/** Nanoseconds. @throws CkptError EINVAL for a time that is none. */
function timeAt(view: DataView, at: number): bigint {
  const [seconds, rest] = [view.getBigInt64(at, true), view.getBigInt64(at + 8, true)];
  if (seconds < 0n || rest < 0n || rest >= second) refuse('EINVAL', 'a time that is none');
  return seconds * second + rest;
}

const settime: SystemCall = ({ process }, args) => {
  const { object } = process.table.file(args.int(0));
  if (!(object instanceof TimerFile)) return refuse('EINVAL', 'it is no timer');
  const flags = args.int(1);
  const known = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;
  if ((flags & ~known) !== 0) refuse('EINVAL', `flags ${flags}`);
  const view = process.user.view(args.word(2), 32);
  const [interval, value] = [timeAt(view, 0), timeAt(view, 16)];
  if (args.word(3) !== 0n) throw new Unmodelled('timerfd_settime(2) that tells what was');
  const isAbsolute = (flags & TFD_TIMER_ABSTIME) !== 0 && value > 0n;
  const now = object.clock === CLOCK_REALTIME ? process.machine.system.time * second : 0n;
  const left = isAbsolute ? (value > now ? value - now : 1n) : value;
  object.set(flags, left, interval);
  return 0;
};

export const timerFileCalls: SystemCalls = {
  timerfd_create: ({ process, thread }, args) => {
    const [clock, flags] = [args.int(0), args.int(1)];
    if ((flags & ~(O_NONBLOCK | O_CLOEXEC)) !== 0) refuse('EINVAL', `flags ${flags}`);
    if (!clocks.includes(clock)) refuse('EINVAL', `clock ${clock}`);
    if (alarms.includes(clock) && !thread.credentials.can(CAP_WAKE_ALARM)) refuse('EPERM', 'alarm');
    const status = O_RDWR | (flags & O_NONBLOCK);
    return process.open(new TimerFile(clock), status, (flags & O_CLOEXEC) !== 0);
  },
  timerfd_settime: settime,
};

import type { CheckpointScope, ImageRecord, RestoreScope, Value } from '@ckpt/engine';
import { fileKinds, Timerfd, timerfdFlags } from '@ckpt/format';
import { fieldOf, parseFdInfo, type FdInfo } from '../procfs/fdinfo.ts';
import type { Description, DescriptorKind } from './descriptor.ts';
import { refuse } from './descriptor.ts';
import { setStatus } from './descriptor-flags.ts';

const CLOCK_REALTIME = 0;
/** REALTIME, MONOTONIC, BOOTTIME and the ALARM ones (timerfd_create(2)). */
const clocks = [0, 1, 7, 8, 9];
const realtimeClocks = [CLOCK_REALTIME, 8];
/** _IOW('T', 0, __u64) of linux/timerfd.h; in kernels with CONFIG_CHECKPOINT_RESTORE. */
const TFD_IOC_SET_TICKS = 0x4008_5400;

const second = 1_000_000_000n;
/** What a struct timespec holds, in nanoseconds that fit i64. */
const timeMax = 0x7fff_ffff_ffff_ffffn;

/** "(99, 999876193)": seconds and nanoseconds. */
function timeOf(info: FdInfo, name: string): bigint | undefined {
  const [, seconds, nanoseconds] = /^\((\d+), (\d+)\)$/.exec(fieldOf(info, name) ?? '') ?? [];
  if (seconds === undefined || nanoseconds === undefined) return undefined;
  return BigInt(seconds) * second + BigInt(nanoseconds);
}

/** The wall clock, nanoseconds since the epoch. */
function now(scope: CheckpointScope, { fd }: Description): bigint | undefined {
  const call = { call: 'clock_gettime', args: [CLOCK_REALTIME, { out: 16 }] } as const;
  const [answer] = scope.frozen.probe(scope.task, fd, [call]);
  const [bytes] = answer?.out ?? [];
  if (answer?.result !== 0n || bytes === undefined) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return view.getBigInt64(0, true) * second + view.getBigInt64(8, true);
}

/** A timer that goes off at a time of the day does so whenever it is restarted. */
const isOfDay = (clock: number, flags: number): boolean =>
  realtimeClocks.includes(clock) && (flags & timerfdFlags.TFD_TIMER_ABSTIME) !== 0;

/** What fdinfo tells, as the image has it; undefined when something is missing. */
function readTimer(
  scope: CheckpointScope,
  description: Description,
): Omit<Timerfd, 'objref'> | undefined {
  // Time has gone on since all descriptors were looked at.
  const bytes = scope.frozen.read(scope.task, `fdinfo/${description.fd}`);
  const info = (bytes && parseFdInfo(bytes)) ?? description.info;
  const clock = Number(fieldOf(info, 'clockid') ?? Number.NaN);
  const flags = Number.parseInt(fieldOf(info, 'settime flags') ?? '', 8);
  const ticks = fieldOf(info, 'ticks');
  const left = timeOf(info, 'it_value');
  const interval = timeOf(info, 'it_interval');
  if (!clocks.includes(clock) || Number.isNaN(flags) || ticks === undefined) return undefined;
  if (left === undefined || interval === undefined) return undefined;
  const base = isOfDay(clock, flags) ? now(scope, description) : 0n;
  if (base === undefined) return undefined;
  // An expired one goes on when somebody reads it (fs/timerfd.c).
  const armed = left > 0n || (interval > 0n && ticks !== '0') ? 1 : 0;
  const remaining = left > 0n ? left + base : 0n;
  return { clock, flags, armed, ticks: BigInt(ticks), remaining, interval };
}

/** struct itimerspec */
function timerspec(interval: bigint, value: bigint): Uint8Array {
  const bytes = new Uint8Array(32);
  const view = new DataView(bytes.buffer);
  for (const [index, time] of [interval, value].entries()) {
    view.setBigInt64(index * 16, time / second, true);
    view.setBigInt64(index * 16 + 8, time % second, true);
  }
  return bytes;
}

function checkTimer(record: ImageRecord<Timerfd>): void {
  const { clock, flags, armed, remaining, interval } = record.value;
  const { TFD_TIMER_ABSTIME, TFD_TIMER_CANCEL_ON_SET } = timerfdFlags;
  if (!clocks.includes(clock)) throw record.invalid('clock', `a timer of clock ${clock}`);
  if ((flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) !== 0) {
    throw record.invalid('flags', `flags ${flags} of a timer`);
  }
  if (armed > 1) throw record.invalid('armed', `${armed} is neither 0 nor 1`);
  if (remaining < 0n || interval < 0n || remaining > timeMax || interval > timeMax) {
    throw record.invalid('remaining', 'a timer set to a time before all time');
  }
}

function set(scope: RestoreScope, record: ImageRecord<Timerfd>, fd: Value): void {
  const { clock, flags, armed, ticks, remaining, interval } = record.value;
  if (armed === 0 && ticks === 0n) return;
  const isExpired = remaining === 0n;
  const value = timerspec(armed === 1 ? interval : 0n, isExpired ? 1n : remaining);
  const how = isOfDay(clock, flags) && !isExpired ? flags : 0;
  scope.call('settle', record, 'timerfd_settime', [fd, how, { blob: value }, 0], {
    what: 'set a timer',
  });
  // The first expiration comes by itself, where there was one.
  if (ticks === 0n || (ticks === 1n && isExpired)) return;
  const word = new Uint8Array(8);
  new DataView(word.buffer).setBigUint64(0, ticks, true);
  scope.call('settle', record, 'ioctl', [fd, TFD_IOC_SET_TICKS, { blob: word }], {
    failure: 'warn',
    what: `${ticks.toString()} expirations of a timer`,
  });
}

/**
 * A timer of timerfd_create(2): what was left of it is left again; one that was set to a time of
 * the day goes off then.
 *
 * Image: {@link Timerfd}.
 */
export const timerfd: DescriptorKind = {
  name: 'timerfd',
  kind: fileKinds.timerfd,
  records: [Timerfd],

  claims: (_scope, { link }) => link === 'anon_inode:[timerfd]',

  checkpoint(scope, description) {
    const timer = readTimer(scope, description);
    if (timer === undefined) {
      refuse(scope, description, {
        reason: 'the kernel does not tell how it is set',
        remedy: 'close it before the checkpoint',
      });
      return;
    }
    const { objref } = scope.objhash.of('timerfd', `${scope.task.pid}:${description.fd}`);
    scope.emit(Timerfd, { objref, ...timer });
    return { object: objref };
  },

  restore({ scope, place }, files) {
    for (const file of files) {
      const record = scope.document.object(file.value.object, Timerfd, file);
      checkTimer(record);
      const fd = scope.call('descriptors', record, 'timerfd_create', [record.value.clock, 0], {
        what: 'a timer',
      });
      setStatus(scope, file, fd);
      place(file, fd);
    }
  },

  settle({ scope, fdOf }, files) {
    for (const file of files) {
      set(scope, scope.document.object(file.value.object, Timerfd, file), fdOf(file) ?? -1);
    }
  },
};

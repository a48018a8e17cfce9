import type { Answer, ImageRecord, Resource, RestoreScope } from '@ckpt/engine';
import { Rlimit, Signal } from '@ckpt/format';
import { parseLimits } from '../procfs/limits.ts';
import { required } from './facts.ts';
import { restoreLimits } from './limits.ts';

/** struct itimerval: interval and value, each seconds and microseconds. */
const itimervalSize = 32;
const micro = 1_000_000n;

/** Interval and value, microseconds. */
function readTimer(answer: Answer | undefined): readonly [interval: bigint, value: bigint] {
  const bytes = answer?.out[0];
  if (bytes === undefined || bytes.length < itimervalSize) return [0n, 0n];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const time = (at: number): bigint =>
    view.getBigInt64(at, true) * micro + view.getBigInt64(at + 8, true);
  return [time(0), time(16)];
}

function itimerval(interval: bigint, value: bigint): Uint8Array {
  const bytes = new Uint8Array(itimervalSize);
  const view = new DataView(bytes.buffer);
  view.setBigInt64(0, interval / micro, true);
  view.setBigInt64(8, interval % micro, true);
  view.setBigInt64(16, value / micro, true);
  view.setBigInt64(24, value % micro, true);
  return bytes;
}

/** Seconds that the kernel takes without turning them into less (KTIME_SEC_MAX). */
const timeMax = 9_223_372_036n * micro;

function restoreTimers(scope: RestoreScope, record: ImageRecord<Signal>): void {
  const timer = record.value;
  const timers = [
    [timer.real_interval, timer.real_value],
    [timer.virtual_interval, timer.virtual_value],
    [timer.prof_interval, timer.prof_value],
  ] as const;
  for (const [which, [interval, value]] of timers.entries()) {
    if (interval > timeMax || value > timeMax) {
      throw record.invalid('real_value', `timer ${which} of ${value.toString()} microseconds`);
    }
    // An interval without time left: the timer has expired and its signal is pending. The kernel
    // starts it anew when the signal is taken (it_real_fn, kernel/time/itimer.c); one that is set
    // to no time would be off for ever. Timers of processor time keep the interval when off.
    const left = which === 0 && value === 0n ? interval : value;
    if (left === 0n) continue;
    // Last of all: it runs from here on.
    const args = [which, { blob: itimerval(interval, left) }, 0];
    scope.call('last', record, 'setitimer', args, { what: `interval timer ${which}` });
  }
}

/**
 * What threads share beside dispositions: interval timers and resource limits.
 *
 * Image: {@link Signal}, then 16 limits. Not saved: processor time used so far.
 */
export const signal: Resource = {
  kind: 'timers and limits',
  records: [Signal],
  asksTask: [0, 1, 2].map((which) => ({
    call: 'getitimer',
    args: [which, { out: itimervalSize }],
  })),
  checkpoint(scope) {
    const { frozen, task } = scope;
    const { objref } = scope.objhash.of('signal', String(task.pid));
    const answers = scope.answers();
    const [realInterval, real] = readTimer(answers[0]);
    const [virtualInterval, virtual] = readTimer(answers[1]);
    const [profInterval, prof] = readTimer(answers[2]);
    const limits = parseLimits(required(frozen, task, 'limits'));
    if (limits === undefined) {
      scope.refuse({
        thing: `/proc/${task.pid}/limits`,
        reason: 'it does not hold the limits that this version knows',
        remedy: 'use a newer version',
      });
    }
    scope.emit(Signal, {
      objref,
      _pad: 0,
      real_interval: realInterval,
      real_value: real,
      virtual_interval: virtualInterval,
      virtual_value: virtual,
      prof_interval: profInterval,
      prof_value: prof,
    });
    scope.emitArray(Rlimit, limits ?? []);
  },
  restore(scope) {
    const record = scope.document.one(Signal);
    restoreTimers(scope, record);
    restoreLimits(scope, record, record.arrayOf(Rlimit));
  },
};

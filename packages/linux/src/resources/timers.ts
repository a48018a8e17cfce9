import type { CheckpointScope, ImageRecord, Resource, RestoreScope } from '@ckpt/engine';
import { PosixTimer, sigevNotify } from '@ckpt/format';
import { parseTimers, type TimerFacts } from '../procfs/timers.ts';

/** struct itimerspec: interval and value, each seconds and nanoseconds. */
const itimerspecSize = 32;
/** struct sigevent: bytes, and where sigev_signo, sigev_notify and the thread are. */
const sigeventSize = 64;
const nano = 1_000_000_000n;
/** KTIME_SEC_MAX */
const timeMax = 9_223_372_036n * nano;

/** prctl(2), Linux 6.15: the number of a timer may be chosen. */
const PR_TIMER_CREATE_RESTORE_IDS = 77;
/** Timers that are made and deleted to reach a number, where it cannot be chosen. */
const skippedMax = 4096;

const notifications = new Map<string, number>([
  ['signal', sigevNotify.SIGEV_SIGNAL],
  ['none', sigevNotify.SIGEV_NONE],
  ['thread', sigevNotify.SIGEV_THREAD],
]);

function checkpoint(scope: CheckpointScope): void {
  const { frozen, task } = scope;
  const timers = parseTimers(frozen.read(task, 'timers') ?? new Uint8Array(0));
  const [leader] = task.threads;
  if (timers.length === 0 || leader === undefined) return;
  const answers = frozen.ask(
    task,
    leader,
    timers.flatMap(({ id }) => [
      { call: 'timer_gettime', args: [id, { out: itimerspecSize }] },
      { call: 'timer_getoverrun', args: [id] },
    ]),
  );
  for (const [index, timer] of timers.entries()) {
    const spec = answers[index * 2]?.out[0] ?? new Uint8Array(itimerspecSize);
    const overrun = Number(answers[index * 2 + 1]?.result ?? 0n);
    emit(scope, timer, spec, Math.max(0, overrun));
  }
}

function emit(scope: CheckpointScope, timer: TimerFacts, spec: Uint8Array, overrun: number): void {
  const view = new DataView(spec.buffer, spec.byteOffset, spec.length);
  const time = (at: number): bigint =>
    view.getBigInt64(at, true) * nano + view.getBigInt64(at + 8, true);
  const notify = notifications.get(timer.notify);
  if (notify === undefined) {
    scope.refuse({
      thing: `timer ${timer.id}`,
      reason: `it tells of its end by "${timer.notify}", which this version does not know`,
      remedy: 'delete the timer (timer_delete(2)), or use a newer version',
    });
    return;
  }
  scope.emit(PosixTimer, {
    id: timer.id,
    clock: timer.clock,
    notify: timer.tid === 0 ? notify : sigevNotify.SIGEV_THREAD_ID,
    signal: timer.signal,
    tid: timer.tid,
    overrun,
    value: timer.value,
    interval: time(0),
    remaining: time(16),
  });
}

function sigevent({ value, signal, notify, tid }: PosixTimer): Uint8Array {
  const bytes = new Uint8Array(sigeventSize);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, value, true);
  view.setInt32(8, signal, true);
  view.setInt32(12, notify, true);
  view.setInt32(16, tid, true);
  return bytes;
}

function itimerspec({ interval, remaining }: PosixTimer): Uint8Array {
  const bytes = new Uint8Array(itimerspecSize);
  const view = new DataView(bytes.buffer);
  view.setBigInt64(0, interval / nano, true);
  view.setBigInt64(8, interval % nano, true);
  view.setBigInt64(16, remaining / nano, true);
  view.setBigInt64(24, remaining % nano, true);
  return bytes;
}

const int32 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  return bytes;
};

type Thing = ImageRecord<PosixTimer>;

/** A new process numbers its timers from 0: numbers that are not there any more are passed over. */
function create(scope: RestoreScope, record: Thing, next: number, chosen: boolean): void {
  const { id, clock } = record.value;
  const event = { blob: sigevent(record.value) };
  if (chosen) {
    scope.call('last', record, 'timer_create', [clock, event, { blob: int32(id) }], {
      what: `timer ${id}`,
    });
    return;
  }
  if (id - next > skippedMax) {
    throw record.invalid('id', `timer ${id} after ${next}: needs Linux 6.15`, 'ENOSYS');
  }
  for (let number = next; number <= id; number++) {
    const room = scope.fresh('timer');
    scope.call('last', record, 'timer_create', [clock, event, { room, size: 4 }], {
      what: `timer ${number}`,
      expectRoom: { room, offset: 0, bytes: int32(number) },
    });
    if (number < id) scope.call('last', record, 'timer_delete', [number]);
  }
}

function restore(scope: RestoreScope): void {
  const records = [...scope.document.all(PosixTimer)].sort((a, b) => a.value.id - b.value.id);
  const [first] = records;
  if (first === undefined) return;
  const [major, minor] = scope.system.kernel;
  const chosen = major > 6 || (major === 6 && minor >= 15);
  const choose = (on: number): void => {
    const args = [PR_TIMER_CREATE_RESTORE_IDS, on, 0, 0, 0];
    if (chosen) scope.call('last', first, 'prctl', args, { what: 'choose numbers of timers' });
  };
  choose(1);
  let next = 0;
  for (const record of records) {
    const { id, interval, remaining } = record.value;
    if (id < next || interval > timeMax || remaining > timeMax) {
      throw record.invalid('id', `timer ${id} of ${remaining.toString()} nanoseconds`);
    }
    create(scope, record, next, chosen);
    next = id + 1;
    if (remaining === 0n) continue;
    const args = [id, 0, { blob: itimerspec(record.value) }, 0];
    scope.call('last', record, 'timer_settime', args, { what: `timer ${id}` });
  }
  choose(0);
}

/**
 * Timers of timer_create(2), with their numbers and the time that is left.
 *
 * Image: one {@link PosixTimer} each. Not saved: overruns so far, and an absolute time of
 * CLOCK_REALTIME, which becomes the time that was left.
 */
export const timers: Resource = { kind: 'timer', records: [PosixTimer], checkpoint, restore };

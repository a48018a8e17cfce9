import { decodeText } from '@ckpt/io';

/** One timer of timer_create(2) as /proc/PID/timers shows it. */
export interface TimerFacts {
  readonly id: number;
  readonly signal: number;
  /** sigev_value */
  readonly value: bigint;
  /** "signal", "none", "thread" */
  readonly notify: string;
  /** Thread that gets the signal (SIGEV_THREAD_ID); 0: the process does. */
  readonly tid: number;
  readonly clock: number;
}

const pattern =
  /ID: (\d+)\nsignal: (\d+)\/([0-9a-f]+)\nnotify: (\w+)\/(pid|tid)\.(\d+)\nClockID: (-?\d+)/g;

/** Reads /proc/PID/timers, by ascending id. */
export function parseTimers(bytes: Uint8Array): readonly TimerFacts[] {
  return [...decodeText(bytes).matchAll(pattern)]
    .map(([, id, signal, value, notify = '', whom, tid, clock]) => ({
      id: Number(id),
      signal: Number(signal),
      value: BigInt(`0x${value ?? '0'}`),
      notify,
      tid: whom === 'tid' ? Number(tid) : 0,
      clock: Number(clock),
    }))
    .sort((a, b) => a.id - b.id);
}

import { CkptError } from '@ckpt/format';

/** Milliseconds. Doubled while nothing moves, from the first to the last. */
const pauseFirstMs = 0.05;
const pauseLastMs = 20;

/** Pauses without progress before an EAGAIN is passed on: some 30 s. */
const pausesMax = 1500;

/** Calls in a row that may be interrupted without any progress. */
const interruptionsMax = 10_000;

/** Sleeps; false where a thread may not (the main thread of a browser). */
export function pause(ms: number): boolean {
  if (typeof SharedArrayBuffer === 'undefined') return false;
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
    return true;
  } catch {
    return false;
  }
}

/** How long to sleep after the `index`th call in a row that moved nothing, milliseconds. */
export function pauseMs(index: number): number {
  return Math.min(pauseFirstMs * 2 ** Math.min(index, 20), pauseLastMs);
}

/**
 * Decides whether a transfer that failed is tried again: at once after EINTR, a little later after
 * EAGAIN. `idle` counts the failures in a row.
 * @throws what was caught, when it is anything else or has lasted too long.
 */
export function retry(error: unknown, idle: number): void {
  if (error instanceof CkptError) {
    if (error.code === 'EINTR' && idle < interruptionsMax) return;
    if (error.code === 'EAGAIN' && idle < pausesMax && pause(pauseMs(idle))) return;
  }
  throw error;
}

import type { SpawnStep } from '@ckpt/engine';
import { CkptError } from '@ckpt/format';
import type { Tracer } from './ptrace.ts';
import { at, failureOf } from './run-error.ts';
import { entryStatus } from './run-executor-code.ts';
import { cloneFailure, mayRetry, retryMicroseconds } from './run-holder.ts';
import type { PlannedCall } from './run-plan.ts';
import { encodeTable, tableCapacity, type Ground, type Outcome } from './run-table.ts';
import type { Tracee } from './run-tracee.ts';

export interface CallScope {
  readonly tracer: Tracer;
  readonly tracee: Tracee;
  readonly ground: Ground;
  /** Results of all calls so far, also of those that failed. */
  readonly results: Map<string, bigint>;
  readonly warnings: string[];
  readonly holder: (pid: number) => string | undefined;
}

/** Notes what a call returned. @throws CkptError when the plan cannot do without it. */
function settle({ results, warnings, holder }: CallScope, call: PlannedCall, outcome: Outcome) {
  const { step, entry } = call;
  results.set(step.id, outcome.result);
  if (outcome.status === entryStatus.done) return;
  if (step.op === 'spawn') throw cloneFailure(step, Number(-outcome.result), holder);
  const { code, sentence } = failureOf(step, outcome);
  if (!entry.goOn) throw new CkptError(code, sentence, at(step));
  // A call that depends on one that failed adds nothing to what was said.
  if (outcome.status !== entryStatus.poisoned) warnings.push(`${sentence}: ${code}`);
}

/** The entry where the table ended before its end; undefined when all of it ran. */
function broken(calls: readonly PlannedCall[], outcomes: readonly Outcome[]): number | undefined {
  const index = outcomes.findIndex(
    ({ status }, i) => status !== entryStatus.done && calls[i]?.entry.goOn !== true,
  );
  return index < 0 ? undefined : index;
}

/** Runs a table; a thread whose id is in use, but about to be free, is tried again. */
function runTable(scope: CallScope, tid: number, calls: readonly PlannedCall[]) {
  const { tracer, tracee, ground } = scope;
  const entries = calls.map(({ entry }) => entry);
  const table = encodeTable(entries, 0, ground);
  const started = performance.now();
  let outcomes = tracee.run(tid, ground.address, table);
  for (;;) {
    const index = broken(calls, outcomes);
    const failed = index === undefined ? undefined : calls[index]?.step;
    const errno = Number(-(outcomes[index ?? 0]?.result ?? 0n));
    if (index === undefined || failed?.op !== 'spawn') return outcomes;
    if (!mayRetry(errno, failed.pid, started)) return outcomes;
    tracer.sleep(retryMicroseconds);
    outcomes = tracee.rerun(tid, ground.address, table.count, index);
  }
}

/** Waits for the threads that a table made, which stop by themselves. */
function welcome({ tracee }: CallScope, spawned: readonly SpawnStep[]): void {
  for (const { pid } of spawned) tracee.waitStill(pid);
}

/**
 * Makes calls on a thread, as many in one go as find place.
 * @throws CkptError for the first failure that is fatal.
 */
export function makeCalls(scope: CallScope, tid: number, calls: readonly PlannedCall[]): void {
  const most = tableCapacity(scope.ground);
  for (let start = 0; start < calls.length;) {
    const left = calls.slice(start, start + most);
    const outcomes = runTable(scope, tid, left);
    const ran = left.slice(0, outcomes.length);
    const done = ran.filter((_, i) => outcomes[i]?.status === entryStatus.done);
    welcome(
      scope,
      done.flatMap(({ step }) => (step.op === 'spawn' ? [step] : [])),
    );
    for (const [i, outcome] of outcomes.entries()) {
      const call = ran[i];
      if (call !== undefined) settle(scope, call, outcome);
    }
    start += outcomes.length;
  }
}

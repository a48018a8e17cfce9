import type { PageReader, Plan, Running } from '@ckpt/engine';
import { CkptError } from '@ckpt/format';
import { closeSync, fstatSync } from 'node:fs';
import { Tracer } from './ptrace.ts';
import { bringUp, type Born } from './run-birth.ts';
import { makeCalls, type CallScope } from './run-calls.ts';
import { nameOf } from './run-error.ts';
import { entryStatus } from './run-executor-code.ts';
import { externalsOf, type Externals } from './run-externals.ts';
import { load } from './run-load.ts';
import { Made } from './run-made.ts';
import { blockOf, closeEntries, groundOf, wipeEntries, type Block } from './run-memory.ts';
import { compilePlan, type Compiled, type Work } from './run-plan.ts';
import { setFinalStates } from './run-resume.ts';
import { encodeTable, type Entry } from './run-table.ts';
import { waitForEnd } from './run-wait.ts';

export interface RunOptions {
  /** The image's descriptor, if it has one. */
  readonly imageFd?: number | undefined;
  /** Who has a pid now, for the sentence that says so. */
  readonly holder?: (pid: number) => string | undefined;
  /** Called after each step of the way, for tests that end the restarter there. */
  readonly at?: (point: string) => void;
}

/** A restart that is under way. */
interface Scope extends CallScope, Born {
  readonly block: Block;
  readonly compiled: Compiled;
  readonly externals: Externals;
  readonly pages: PageReader;
  /** The image in the new task, if it can read that by itself. */
  readonly imageFd: number | undefined;
  readonly at: (point: string) => void;
}

/** Calls of our own, none of which can fail. */
function mustDo({ tracee, ground }: Scope, what: string, entries: readonly Entry[]): void {
  const table = encodeTable(entries, 0, ground);
  const outcomes = tracee.run(tracee.pid, ground.address, table);
  const failed = outcomes.find(({ status }) => status !== entryStatus.done);
  if (failed !== undefined) throw new CkptError(nameOf(failed.result), what);
}

function doWork(scope: Scope, work: Work): void {
  switch (work.kind) {
    case 'calls':
      makeCalls(scope, scope.tracee.tid(work.on), work.calls);
      break;
    case 'load':
      load(scope, scope.tracee.tid(work.on), work.loads);
      break;
    case 'wipe':
      mustDo(scope, 'unmapping what the first program had', wipeEntries(scope.block));
      break;
    case 'meet':
      // One tracer runs all threads in turn: that it has come here is that they all have.
      break;
  }
  scope.at(work.kind);
}

/** Everything up to the point where no thread has run, and nothing can fail any more. */
function prepare(scope: Scope): void {
  const { compiled, externals, pages, at } = scope;
  const kept = [...externals.numbers.values()];
  mustDo(scope, 'closing the descriptors of the restarter', closeEntries(kept));
  for (const work of compiled.work) doWork(scope, work);
  pages.finish();
  if (kept.length > 0) {
    const entries = closeEntries([]).map((entry) => ({
      ...entry,
      args: [BigInt(Math.min(...kept)), BigInt(Math.max(...kept)), 0n],
    }));
    mustDo(scope, 'closing the descriptor of the image', entries);
  }
  setFinalStates(scope, compiled.resumes, compiled.die);
  at('ready');
}

/** A thread that ended while it was traced is gone only when its tracer has waited for it. */
function bury(tracer: Tracer, tid: number): void {
  try {
    tracer.poll(tid);
  } catch {
    // ECHILD: the whole process is gone.
  }
}

/**
 * Lets all threads go. From the first on the program runs and may end at any moment, which is its
 * own affair; until the last, the end of the tracer is the end of all (PTRACE_O_EXITKILL).
 */
function commit({ tracer, tracee, compiled, at }: Scope): void {
  const tids = compiled.resumes.map(({ step }) => tracee.tid(step.on));
  const others = tids.filter((tid) => tid !== tracee.pid);
  const leader = compiled.die === undefined ? [tracee.pid] : [];
  for (const [index, tid] of [...others, ...leader].entries()) {
    try {
      tracer.detach(tid);
    } catch (error) {
      if (index === 0 || !(error instanceof CkptError) || error.code !== 'ESRCH') throw error;
      if (tid !== tracee.pid) bury(tracer, tid);
    }
  }
  at('released');
}

/**
 * Runs a whole plan, or nothing of it: whatever fails, what was made is killed.
 * @throws CkptError EINVAL or ENOSYS for a plan that cannot be run; EEXIST with the holder when its
 *   pid is in use; EPERM when pids may not be chosen; else as the call that failed, with the
 *   place in the image.
 */
export function runPlan(plan: Plan, pages: PageReader, options: RunOptions = {}): Running {
  const { imageFd: image, holder = () => undefined, at = () => undefined } = options;
  // Readv of a pipe is short all the time: its pages come through this process.
  const isFile = image !== undefined && fstatSync(image).isFile();
  const externals = externalsOf(plan, image, isFile);
  const compiled = compilePlan(plan, externals.numbers);
  const results = new Map<string, bigint>();
  const warnings: string[] = [];
  const block = blockOf(compiled);
  const ground = groundOf(block, compiled, results);
  const tracer = new Tracer(at);
  const made = new Made(tracer);
  let born: Born | undefined;
  try {
    const warn = (sentence: string): void => {
      warnings.push(sentence);
    };
    const descriptors = externals.pairs;
    born = bringUp({ tracer, made, compiled, block, descriptors, holder, warn, at });
    const imageFd = isFile ? externals.numbers.get('image') : undefined;
    const state = { compiled, externals, pages, imageFd, block, ground, results, warnings };
    const scope: Scope = { ...state, ...born, tracer, holder, at };
    prepare(scope);
    commit(scope);
  } catch (error) {
    made.endAll();
    throw error;
  } finally {
    born?.memory.close();
    if (born !== undefined) closeSync(born.maps);
  }
  const { pid } = born.tracee;
  return { pid, warnings, wait: once(() => waitForEnd(pid)) };
}

/** A status can be waited for only once: later callers get the same. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

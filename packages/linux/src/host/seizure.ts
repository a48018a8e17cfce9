import { CkptError } from '@ckpt/format';
import type { ProcDirectory } from './proc-directory.ts';
import { ptraceEvents, ptraceOptions, type Stop, type Tracer } from './ptrace.ts';
import { ended, seizureDenied, unreachable } from './refusals.ts';
import { isGone, isKernelHelper, parseStatFacts, type StatFacts } from './task-facts.ts';

/** SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU: an event stop with one of them is a group-stop. */
const stopSignals: ReadonlySet<number> = new Set([19, 20, 21, 22]);

/** Threads that could not be let go because they never stopped; tried again later. */
const stuck = new Set<number>();

/**
 * All threads of a process, stopped by ptrace(2).
 *
 * A thread that never stops (it fell asleep uninterruptibly after it was seized) cannot be let go
 * either: it stops when it wakes up, and goes on when the tracer's OS thread ends, or at the
 * next seizure made on it.
 */
export class Seizure {
  readonly #tracer: Tracer;
  readonly #proc: ProcDirectory;
  readonly #pid: number;
  readonly #front: number;
  readonly #stopped = new Set<number>();
  readonly #waited = new Set<number>();
  /** When the first thread was interrupted, by performance.now(). */
  startedAt = 0;
  /** The process was in a group-stop: SIGSTOP and the like. */
  isGroupStopped = false;

  /** `front`: the thread that must be among them. */
  constructor(tracer: Tracer, proc: ProcDirectory, pid: number, front = pid) {
    this.#tracer = tracer;
    this.#proc = proc;
    this.#pid = pid;
    this.#front = front;
    this.#releaseStuck();
  }

  /** The leader first, or who stands for it, then by number. */
  get tids(): readonly number[] {
    const rank = (tid: number): number => (tid === this.#front ? 0 : tid);
    return [...this.#stopped].sort((a, b) => rank(a) - rank(b));
  }

  /**
   * Stops all threads, again and again until no new one is there.
   * @throws CkptError EPERM, ESRCH, ETIMEDOUT; nothing is stopped then.
   */
  stopAll(deadlineMs: number): void {
    const deadline = performance.now() + deadlineMs;
    try {
      this.#awaitReachable(deadline, deadlineMs);
      this.startedAt = performance.now();
      while (this.#stopNew(deadline, deadlineMs)) continue;
      this.#releaseStrangers();
      if (!this.#stopped.has(this.#front)) throw ended(this.#pid);
    } catch (error) {
      this.release();
      throw error;
    }
  }

  /** Lets all threads go on. */
  release(): void {
    for (const tid of this.#waited) {
      if (!this.#letGo(tid)) stuck.add(tid);
    }
    this.#waited.clear();
    for (const tid of this.#stopped) this.#detach(tid);
    this.#stopped.clear();
  }

  /** Waits for the end of all threads; they have been killed while they stood. */
  reap(deadlineMs: number): void {
    const deadline = performance.now() + deadlineMs;
    // The leader's end is told last.
    for (const tid of [...this.tids].reverse()) {
      for (;;) {
        const stop = this.#report(tid, deadline);
        if (stop?.kind !== 'stopped') break;
      }
    }
    this.#stopped.clear();
  }

  /** Undefined for a thread that is no more. */
  #facts(tid: number): StatFacts | undefined {
    const text = this.#text(`task/${tid}/stat`);
    return text === '' ? undefined : parseStatFacts(text);
  }

  #text(path: string): string {
    try {
      return this.#proc.readText(path);
    } catch (error) {
      if (error instanceof CkptError && error.code === 'ESRCH') return '';
      throw error;
    }
  }

  #candidates(): number[] {
    return this.#proc.list('task').map(Number);
  }

  /** Nothing is seized while a thread is out of reach: it could not be let go. */
  #awaitReachable(deadline: number, deadlineMs: number): void {
    for (;;) {
      const asleep = this.#candidates().find((tid) => {
        const facts = this.#facts(tid);
        return facts?.state === 'D' && !isKernelHelper(facts);
      });
      if (asleep === undefined) return;
      if (performance.now() >= deadline) {
        throw unreachable(this.#pid, asleep, this.#facts(asleep)?.name ?? '', deadlineMs);
      }
      this.#tracer.sleep(500);
    }
  }

  /** From now on the end of this thread of ours is that of the process, before it runs on. */
  dieWithUs(): void {
    // The kernel lets go of whom we seized last first.
    for (const tid of [...this.#stopped].reverse()) {
      this.#tracer.setOptions(tid, ptraceOptions.TRACESYSGOOD | ptraceOptions.EXITKILL);
    }
  }

  #stopNew(deadline: number, deadlineMs: number): boolean {
    let isNew = false;
    for (const tid of this.#candidates()) {
      if (this.#stopped.has(tid) || this.#waited.has(tid)) continue;
      const facts = this.#facts(tid);
      if (facts === undefined || isKernelHelper(facts) || isGone(facts)) continue;
      if (this.#seize(tid)) isNew = true;
    }
    for (const tid of [...this.#waited]) this.#await(tid, deadline, deadlineMs);
    return isNew;
  }

  /** False for a thread that is ending. */
  #seize(tid: number): boolean {
    try {
      // Without the option a thread gets SIGTRAP when its tracer ends at a stop at a system call.
      this.#tracer.seize(tid, ptraceOptions.TRACESYSGOOD);
    } catch (error) {
      if (!(error instanceof CkptError) || !['EPERM', 'ESRCH'].includes(error.code)) throw error;
      if (error.code === 'ESRCH' || this.#isEnding(tid)) return false;
      throw seizureDenied(this.#pid, tid, this.#text(`task/${tid}/status`));
    }
    this.#waited.add(tid);
    this.#interrupt(tid);
    return true;
  }

  /** ptrace(2) says EPERM as well for a thread that is on its way out. */
  #isEnding(tid: number): boolean {
    this.#tracer.sleep(100);
    const facts = this.#facts(tid);
    return facts === undefined || isGone(facts);
  }

  #interrupt(tid: number): void {
    try {
      this.#tracer.interrupt(tid);
    } catch (error) {
      // It ended: the wait for it will tell.
      if (!(error instanceof CkptError) || error.code !== 'ESRCH') throw error;
    }
  }

  /** Until the stop that was asked for; signals that come before it are passed on. */
  #await(tid: number, deadline: number, deadlineMs: number): void {
    for (;;) {
      const stop = this.#report(tid, deadline);
      if (stop === undefined) {
        throw unreachable(this.#pid, tid, this.#facts(tid)?.name ?? '', deadlineMs);
      }
      if (stop.kind !== 'stopped') {
        this.#waited.delete(tid);
        return;
      }
      if (stop.event === ptraceEvents.STOP) {
        if (stopSignals.has(stop.signal)) this.isGroupStopped = true;
        this.#waited.delete(tid);
        this.#stopped.add(tid);
        return;
      }
      this.#tracer.cont(tid, stop.event === 0 ? stop.signal : 0);
    }
  }

  /** A thread that is no more counts as one that exited. */
  #report(tid: number, deadline: number): Stop | undefined {
    try {
      return this.#tracer.waitUntil(tid, deadline);
    } catch (error) {
      if (error instanceof CkptError && error.code === 'ECHILD')
        return { kind: 'exited', status: 0 };
      throw error;
    }
  }

  /** False when the thread has still not stopped. */
  #letGo(tid: number): boolean {
    const stop = this.#report(tid, performance.now() + 1);
    if (stop?.kind === 'stopped') this.#detach(tid, stop.event === 0 ? stop.signal : 0);
    return stop !== undefined;
  }

  #detach(tid: number, signal = 0): void {
    try {
      this.#tracer.detach(tid, signal);
    } catch (error) {
      if (!(error instanceof CkptError) || error.code !== 'ESRCH') throw error;
    }
  }

  /** A number that was read, then given to somebody else's thread before it was seized. */
  #releaseStrangers(): void {
    const present = new Set(this.#candidates());
    for (const tid of this.#stopped) {
      if (present.has(tid)) continue;
      this.#detach(tid);
      this.#stopped.delete(tid);
    }
  }

  #releaseStuck(): void {
    for (const tid of [...stuck]) {
      if (this.#letGo(tid)) stuck.delete(tid);
    }
  }
}

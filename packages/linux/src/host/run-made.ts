import type { Tracer } from './ptrace.ts';
import { trySyscall } from './syscall.ts';

const SIGKILL = 9;
/** Milliseconds that a killed thread may take to go; one that sleeps in a broken file system stays. */
const deathMs = 5000;

/** What a restart has made so far: it is undone when the restart fails. */
export class Made {
  readonly #tracer: Tracer;
  /** Leaders, in the order in which they were made, each with its other threads. */
  readonly #tasks = new Map<number, Set<number>>();

  constructor(tracer: Tracer) {
    this.#tracer = tracer;
  }

  task(pid: number): void {
    this.#tasks.set(pid, new Set());
  }

  thread(pid: number, tid: number): void {
    this.#tasks.get(pid)?.add(tid);
  }

  /** Kills a task and waits until nothing of it is left. */
  end(pid: number): void {
    const threads = this.#tasks.get(pid);
    if (threads === undefined) return;
    trySyscall('kill', pid, SIGKILL);
    const deadline = performance.now() + deathMs;
    // The leader is reported last: when no other thread is left.
    for (const tid of [...threads, pid]) this.#bury(tid, deadline);
    this.#tasks.delete(pid);
  }

  endAll(): void {
    for (const pid of [...this.#tasks.keys()]) this.end(pid);
  }

  #bury(tid: number, deadline: number): void {
    try {
      let stop;
      do stop = this.#tracer.waitUntil(tid, deadline);
      while (stop?.kind === 'stopped');
    } catch {
      // ECHILD: it is gone already.
    }
  }
}

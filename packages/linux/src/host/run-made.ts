import { readdirSync } from 'node:fs';
import type { Tracer } from './ptrace.ts';
import { trySyscall } from './syscall.ts';

const SIGKILL = 9;
/** Milliseconds that a killed thread may take to go; one that sleeps in a broken file system stays. */
const deathMs = 5000;

function threadsOf(pid: number): readonly number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    return [];
  }
}

/** What a restart has made so far: it is undone when the restart fails. */
export class Made {
  readonly #tracer: Tracer;
  readonly #tasks = new Set<number>();

  constructor(tracer: Tracer) {
    this.#tracer = tracer;
  }

  task(pid: number): void {
    this.#tasks.add(pid);
  }

  /** Kills a task and waits until nothing of it is left. */
  end(pid: number): void {
    if (!this.#tasks.delete(pid)) return;
    const threads = threadsOf(pid).filter((tid) => tid !== pid);
    trySyscall('kill', pid, SIGKILL);
    const deadline = performance.now() + deathMs;
    // The leader is reported last: when no other thread is left.
    for (const tid of [...threads, pid]) this.#bury(tid, deadline);
  }

  endAll(): void {
    for (const pid of [...this.#tasks]) this.end(pid);
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

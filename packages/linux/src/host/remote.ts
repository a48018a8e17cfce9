import { CkptError } from '@ckpt/format';
import type { Answer } from '@ckpt/engine';
import { executorSize } from './executor-code.ts';
import type { Guest } from './executor-frame.ts';
import { Executor } from './executor.ts';
import type { Memory } from './memory.ts';
import type { ProcDirectory } from './proc-directory.ts';
import { ptraceEvents, type Tracer } from './ptrace.ts';
import { getRegister } from './registers.ts';
import { remoteTables, type RemoteCall } from './remote-table.ts';
import { pageSize } from './syscall.ts';
import { parseStatusFacts, type StatusFacts } from './task-facts.ts';
import { mustStop, writeForced, type OwnState } from './tracee.ts';
import { elfLength, findMapping, vdsoTail, type Range } from './vdso.ts';

/** Signals that are ignored where they have no handler: SIGURG, SIGWINCH, SIGCHLD. */
const harmless = [23, 28, 17];

/** What remote calls in one process need to know of it. */
export interface RemoteProcess {
  /** The thread that stands for it: the leader, unless that has exited. */
  readonly pid: number;
  readonly tracer: Tracer;
  readonly memory: Memory;
  readonly proc: ProcDirectory;
  readonly at: (point: string) => void;
  /** State of a thread before anything was changed. */
  readonly own: (tid: number) => OwnState;
  /** How long one round of calls may take. */
  readonly askLimitMs: number;
}

/** Remote system calls in the threads of a frozen process, by way of the zero tail of its vdso. */
export class Remote {
  readonly #process: RemoteProcess;
  readonly #tail: Range | undefined;
  readonly #status = new Map<number, StatusFacts>();
  #executor: Executor | undefined;
  #locksNew: boolean | undefined;
  #code = 0n;

  constructor(process: RemoteProcess) {
    this.#process = process;
    const range = findMapping(process.proc.readText('maps'), '[vdso]');
    if (range === undefined) return;
    const vdso = process.memory.read(range.start, Number(range.end - range.start));
    this.#tail = vdsoTail(range, elfLength(vdso));
  }

  /** True for a thread that still runs the executor of a checkpointer that was killed. */
  isInExecutor(registers: Uint8Array): boolean {
    const rip = getRegister(registers, 'rip');
    return this.#tail !== undefined && rip >= this.#tail.start && rip < this.#tail.end;
  }

  /** Lets such a thread run until it has put itself back. @throws CkptError ETIMEDOUT. */
  finish(tid: number, deadline: number): void {
    const { tracer } = this.#process;
    let registers = tracer.getRegisters(tid);
    while (this.isInExecutor(registers)) {
      tracer.cont(tid);
      tracer.sleep(200);
      tracer.interrupt(tid);
      for (;;) {
        const stop = mustStop(tid, tracer.waitUntil(tid, deadline));
        if (stop.event === ptraceEvents.STOP) break;
        tracer.cont(tid, stop.event === 0 ? stop.signal : 0);
      }
      registers = tracer.getRegisters(tid);
      if (performance.now() >= deadline && this.isInExecutor(registers)) {
        throw new CkptError('ETIMEDOUT', `thread ${tid} does not end its remote calls`);
      }
    }
  }

  /**
   * Makes calls; as one table if they must be `whole`, which then are made to their end.
   * @param whole Called when that is certain.
   * @throws CkptError EOPNOTSUPP where no call can be made in this thread; EINVAL, ENOMEM, ESRCH.
   */
  ask(tid: number, calls: readonly RemoteCall[], whole?: () => void): Answer[] {
    const tables = remoteTables(calls, pageSize, whole === undefined ? undefined : Infinity);
    if (tables.length === 0) return [];
    const guest = this.#guest(tid);
    const executor = (this.#executor ??= this.#place());
    return tables.flatMap((table) => executor.run(guest, table, whole));
  }

  /** True when a mapping that was made for calls was locked in memory; undefined before any. */
  get locksNew(): boolean | undefined {
    return this.#locksNew;
  }

  /** The first arena tells: nothing else in the process changes meanwhile. */
  #lookAtLocks(): void {
    if (this.#locksNew !== undefined) return;
    const { proc, pid } = this.#process;
    const { locked } = parseStatusFacts(proc.readText('status'));
    this.#locksNew = locked !== this.#statusOf(pid).locked;
  }

  /** Takes the executor out of the process again. */
  withdraw(): void {
    if (this.#executor === undefined) return;
    const { tracer, memory, pid } = this.#process;
    writeForced(tracer, memory, pid, this.#code, Buffer.alloc(executorSize));
    this.#executor = undefined;
  }

  #guest(tid: number): Guest {
    const { tracer, own, pid } = this.#process;
    const status = this.#statusOf(tid);
    if (status.seccomp !== 0) {
      const remedy = 'start the program without it: containers have a security option for that';
      throw new CkptError(
        'EOPNOTSUPP',
        `thread ${tid} of process ${pid} is under seccomp, whose filter cannot be read back: ${remedy}`,
      );
    }
    if (tracer.hasSyscallUserDispatch(tid)) {
      throw new CkptError(
        'EOPNOTSUPP',
        `thread ${tid} of process ${pid} dispatches system calls itself`,
      );
    }
    const state = own(tid);
    // With a mask of its own the leader could be waiting for such a signal by sigwait(3).
    const taken = status.caught | status.pending | own(pid).mask;
    return {
      tid,
      own: state,
      ownTgid: status.ownTgid,
      ownTid: status.ownTid,
      stopSignal: harmless.find((signal) => (taken & (1n << BigInt(signal - 1))) === 0n) ?? 0,
      // With several threads another one may take the signal.
      interrupting: status.threads === 1 ? status.caught : 0n,
    };
  }

  #statusOf(tid: number): StatusFacts {
    let status = this.#status.get(tid);
    if (status === undefined) {
      status = parseStatusFacts(this.#process.proc.readText(`task/${tid}/status`));
      this.#status.set(tid, status);
    }
    return status;
  }

  /**
   * A free place in the tail. What a killed checkpointer left may still be needed, by a signal
   * handler that is to return there: then the next place is taken.
   */
  #place(): Executor {
    const { tracer, memory, at, pid, askLimitMs } = this.#process;
    const tail = this.#tail;
    const room = tail === undefined ? 0 : Number(tail.end - tail.start);
    if (tail === undefined || room < executorSize) {
      const why = tail === undefined ? 'has no vdso' : `has only ${room} free bytes in its vdso`;
      throw new CkptError('EOPNOTSUPP', `process ${pid} ${why}: no remote call can be made`);
    }
    const bytes = memory.read(tail.start, room);
    const slot = Math.ceil(executorSize / 16) * 16;
    let offset = 0;
    for (let free = 0; free + executorSize <= room; free += slot) {
      if (bytes.subarray(free, free + executorSize).some((byte) => byte !== 0)) continue;
      offset = free;
      break;
    }
    this.#code = tail.start + BigInt(offset);
    // Read while no arena is there.
    this.#statusOf(pid);
    return new Executor(tracer, memory, this.#code, askLimitMs, at, () => {
      this.#lookAtLocks();
    });
  }
}

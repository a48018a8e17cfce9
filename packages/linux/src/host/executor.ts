import { CkptError } from '@ckpt/format';
import type { Answer } from '@ckpt/engine';
import { executorLabels, executorSize } from './executor-code.ts';
import { executorImage, runningMask, type Guest } from './executor-frame.ts';
import type { Memory } from './memory.ts';
import { ptraceEvents, type Tracer } from './ptrace.ts';
import { getRegister, getSigned, withRegisters } from './registers.ts';
import type { RemoteTable } from './remote-table.ts';
import { mustStop, putBack, writeForced } from './tracee.ts';

type Label = 'stop_1' | 'stop_2' | 'stop_3';

/** SIGTRAP with the mark of PTRACE_O_TRACESYSGOOD. */
const syscallStop = 5 | 0x80;
const SIGSTOP = 19;
/** How long a thread may take to come back after a failure. */
const recoverMs = 1000;

/** Remote system calls of one frozen process. */
export class Executor {
  readonly #tracer: Tracer;
  readonly #memory: Memory;
  readonly #at: (point: string) => void;
  /** Where code and frame are written: {@link executorSize} bytes of the vdso's zero tail. */
  readonly #code: bigint;
  /** Milliseconds that a table may take. */
  readonly #limitMs: number;
  /** Called while a thread has an arena, before anything is in it. */
  readonly #mapped: () => void;

  constructor(
    tracer: Tracer,
    memory: Memory,
    code: bigint,
    limitMs: number,
    at: (point: string) => void,
    mapped: () => void = () => undefined,
  ) {
    this.#mapped = mapped;
    this.#tracer = tracer;
    this.#memory = memory;
    this.#code = code;
    this.#limitMs = limitMs;
    this.#at = at;
  }

  /** True when an instruction pointer is in the executor's code. */
  covers(rip: bigint): boolean {
    return rip >= this.#code && rip < this.#code + BigInt(executorSize);
  }

  /**
   * @param armed Called when the table is whole: from then on its calls are made, even if nobody is
   *   there to see it.
   * @throws CkptError ENOMEM without room for the arena, ESRCH when the thread ends, ETIMEDOUT.
   */
  run(guest: Guest, table: RemoteTable, armed: () => void = () => undefined): Answer[] {
    const { tid } = guest;
    const image = executorImage(guest, table.size);
    writeForced(this.#tracer, this.#memory, tid, this.#code, image);
    this.#at('executor written');
    const deadline = performance.now() + this.#limitMs;
    try {
      // Registers first: the executor alone can undo the mask.
      const rip = this.#code + BigInt(executorLabels.entered);
      this.#tracer.setRegisters(tid, withRegisters(guest.own.registers, { rip }));
      this.#tracer.setSignalMask(tid, runningMask(guest));
      const answers = this.#stages(guest, table, deadline, armed);
      this.#leave(guest, deadline);
      return answers;
    } catch (error) {
      this.#recover(guest);
      throw error;
    }
  }

  #stages(guest: Guest, table: RemoteTable, deadline: number, armed: () => void): Answer[] {
    const arena = BigInt.asIntN(64, this.#resumeTo(guest, 'stop_1', deadline));
    if (arena < 0n) {
      this.#resumeTo(guest, 'stop_3', deadline);
      throw new CkptError(
        'ENOMEM',
        `thread ${guest.tid} got no memory for remote calls (${arena}): its limits may be used up, ` +
          'see /proc/PID/limits and prlimit(1) --as, or vm.max_map_count',
      );
    }
    this.#mapped();
    this.#memory.write(arena, table.encode(arena));
    // The number of calls comes last: of a table that is not whole, nothing is called.
    this.#memory.writeWord(arena, BigInt(table.count));
    this.#at('table written');
    armed();
    this.#resumeTo(guest, 'stop_2', deadline);
    const answers = table.decode(this.#memory.read(arena, table.size));
    this.#at('results read');
    this.#resumeTo(guest, 'stop_3', deadline);
    return answers;
  }

  /** Lets the thread run to a stop of its own; returns r12, the arena's address. */
  #resumeTo({ tid, stopSignal }: Guest, label: Label, deadline: number): bigint {
    const place = this.#code + BigInt(executorLabels[label]);
    let signal = 0;
    for (;;) {
      if (stopSignal === 0) this.#tracer.contToSyscall(tid, signal);
      else this.#tracer.cont(tid, signal);
      signal = 0;
      const stop = mustStop(tid, this.#tracer.waitUntil(tid, deadline));
      if (stop.event !== 0) continue;
      const registers = this.#tracer.getRegisters(tid);
      const here = getRegister(registers, 'rip') === place;
      // A stop at a system call comes twice: when it is left, the result is there.
      const left = stopSignal !== 0 || getRegister(registers, 'rax') === 0n;
      if (here && left && !this.#isForeign(tid, stopSignal)) {
        this.#at(label);
        return getRegister(registers, 'r12');
      }
      if (stop.signal === SIGSTOP) signal = SIGSTOP;
      else if (stop.signal !== (stopSignal || syscallStop)) {
        const at = getRegister(registers, 'rip').toString(16);
        throw new CkptError('EFAULT', `thread ${tid} met signal ${stop.signal} at 0x${at}`);
      }
    }
  }

  /** True for a signal from elsewhere behind which the thread's own is still to come. */
  #isForeign(tid: number, stopSignal: number): boolean {
    if (stopSignal === 0) return false;
    return this.#tracer
      .peekSiginfo(tid, false)
      .some((pending) => Buffer.from(pending).readInt32LE(0) === stopSignal);
  }

  /** From the executor's last stop to the state in which the thread was frozen. */
  #leave(guest: Guest, deadline: number): void {
    // A stop of the kernel's own kind: no signal that could stay behind, and interrupted calls are
    // looked at after it.
    this.#tracer.interrupt(guest.tid);
    this.#tracer.cont(guest.tid);
    for (;;) {
      const stop = mustStop(guest.tid, this.#tracer.waitUntil(guest.tid, deadline));
      if (stop.event === ptraceEvents.STOP) break;
      this.#tracer.cont(guest.tid, stop.signal === SIGSTOP ? SIGSTOP : 0);
    }
    putBack(this.#tracer, this.#memory, guest.tid, guest.own);
    this.#at('thread put back');
  }

  /**
   * After a failure: a call that does not come back is interrupted, the rest of the table left out.
   * A thread that is gone, or cannot be stopped, is left to the executor.
   */
  #recover(guest: Guest): void {
    const deadline = performance.now() + recoverMs;
    try {
      const registers = this.#standing(guest.tid, deadline);
      const at = Number(getRegister(registers, 'rip') - this.#code);
      const isMapped = getSigned(registers, 'r12') >= 0n;
      if (at >= executorLabels.stop_1 && at < executorLabels.stop_2 && isMapped) {
        const rip = this.#code + BigInt(executorLabels.done);
        this.#tracer.setRegisters(guest.tid, withRegisters(registers, { rip, orig_rax: -1 }));
        this.#resumeTo(guest, 'stop_2', deadline);
        this.#resumeTo(guest, 'stop_3', deadline);
      } else if (at >= executorLabels.stop_1 && at < executorLabels.stop_3) {
        this.#resumeTo(guest, 'stop_3', deadline);
      }
      this.#leave(guest, deadline);
    } catch (error) {
      if (!(error instanceof CkptError)) throw error;
    }
  }

  /** Registers of a thread that stands, or now does. */
  #standing(tid: number, deadline: number): Uint8Array {
    try {
      return this.#tracer.getRegisters(tid);
    } catch {
      this.#tracer.interrupt(tid);
      mustStop(tid, this.#tracer.waitUntil(tid, deadline));
      return this.#tracer.getRegisters(tid);
    }
  }
}

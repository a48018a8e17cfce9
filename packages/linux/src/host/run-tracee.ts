import { CkptError } from '@ckpt/format';
import { readFileSync } from 'node:fs';
import type { Memory } from './memory.ts';
import { ptraceEvents, type Stop, type Tracer } from './ptrace.ts';
import { getRegister, getSigned, withRegisters } from './registers.ts';
import { entryLayout, executorEnd } from './run-executor-code.ts';
import { decodeTable, type Outcome, type Table } from './run-table.ts';
import { syscall } from './syscall.ts';
import { isGone, parseStatFacts } from './task-facts.ts';

/** asm-generic/signal.h */
const SIGSTOP = 19;
const SIGURG = 23;
const jobControl: ReadonlySet<number> = new Set([SIGSTOP, 20, 21, 22]);
/** SIGTRAP with the mark of PTRACE_O_TRACESYSGOOD. */
const syscallStop = 5 | 0x80;

/** Milliseconds that a thread may take to exit. */
const endMs = 5000;

/** The process that is being made, in the hand of its tracer: all of its threads stand still. */
export class Tracee {
  readonly #tracer: Tracer;
  readonly #memory: Memory;
  /** Where the executor's code lies. */
  readonly #code: bigint;
  readonly pid: number;
  /** Ids of the tasks and threads that its calls made. */
  readonly born: number[] = [];
  /** Somebody stopped the process (SIGSTOP) while it was being made. */
  stopRequested = false;

  constructor(tracer: Tracer, memory: Memory, code: bigint, pid: number) {
    this.#tracer = tracer;
    this.#memory = memory;
    this.#code = code;
    this.pid = pid;
  }

  /** The id of a thread that a plan names: 0 stands for a process that got any pid. */
  tid(on: number): number {
    return on === 0 ? this.pid : on;
  }

  /** Waits for a stop of a thread. @throws CkptError ESRCH when it ended. */
  wait(tid: number): Stop & { readonly kind: 'stopped' } {
    const stop = this.#tracer.wait(tid);
    if (stop.kind === 'stopped') return stop;
    const how = stop.kind === 'killed' ? `killed by signal ${stop.signal}` : 'gone';
    throw new CkptError('ESRCH', `thread ${tid} of the new process was ${how}`);
  }

  /** Waits until a new thread, or one that was interrupted, stands still. */
  waitStill(tid: number): void {
    for (;;) {
      const stop = this.wait(tid);
      if (stop.event === ptraceEvents.STOP) return;
      this.#pass(tid, stop);
      this.#tracer.cont(tid);
    }
  }

  /** Registers with which a thread runs a table that lies at `address`, from an entry on. */
  #tableRegisters(tid: number, address: bigint, count: number, from: number): Uint8Array {
    const entry = (index: number): bigint => address + BigInt(index * entryLayout.size);
    return withRegisters(this.#tracer.getRegisters(tid), {
      rip: this.#code,
      r12: entry(from),
      r13: entry(count),
      r14: this.pid,
      r15: tid,
      eflags: 0x202,
      orig_rax: -1,
    });
  }

  /** Writes a table; returns what became of each entry after a thread has run it. */
  run(tid: number, address: bigint, table: Table): readonly Outcome[] {
    this.#memory.write(address, table.bytes);
    return this.rerun(tid, address, table.count, 0);
  }

  /** Runs a table that was written before, from an entry on. */
  rerun(tid: number, address: bigint, count: number, from: number): readonly Outcome[] {
    this.#tracer.setRegisters(tid, this.#tableRegisters(tid, address, count, from));
    this.#tracer.cont(tid);
    for (;;) {
      const stop = this.wait(tid);
      if (stop.event === 0 && stop.signal === SIGURG && this.#ended(tid)) break;
      this.#pass(tid, stop);
      this.#tracer.cont(tid);
    }
    return decodeTable(this.#memory.read(address, count * entryLayout.size), count);
  }

  #ended(tid: number): boolean {
    const rip = getRegister(this.#tracer.getRegisters(tid), 'rip');
    return rip === this.#code + BigInt(executorEnd);
  }

  /**
   * Makes as many calls as said, one by one: the executor's end is not needed, so all signals may
   * be blocked. The thread then stands still behind the last.
   * @returns What they returned.
   */
  runTraced(tid: number, registers: Uint8Array, calls: number): readonly bigint[] {
    this.#tracer.setRegisters(tid, registers);
    const results: bigint[] = [];
    while (results.length < calls) {
      this.#toSyscall(tid);
      this.#toSyscall(tid);
      results.push(getSigned(this.#tracer.getRegisters(tid), 'rax'));
    }
    this.#settle(tid);
    return results;
  }

  /** Makes the calls of a table, whose entries all go on, as {@link runTraced} does. */
  runTableTraced(tid: number, address: bigint, table: Table): readonly bigint[] {
    this.#memory.write(address, table.bytes);
    const registers = this.#tableRegisters(tid, address, table.count, 0);
    return this.runTraced(tid, registers, table.count);
  }

  /**
   * Begins the one call of a table and interrupts it at once.
   * @returns What it returned: -516 when the kernel can go on with it.
   */
  runInterrupted(tid: number, address: bigint, table: Table): bigint {
    this.#memory.write(address, table.bytes);
    this.#tracer.setRegisters(tid, this.#tableRegisters(tid, address, table.count, 0));
    this.#toSyscall(tid);
    this.#settle(tid);
    return getSigned(this.#tracer.getRegisters(tid), 'rax');
  }

  /**
   * Makes the leader exit by the one call of a table, and waits until it is a zombie: of that nobody
   * is told while other threads are there.
   * @throws CkptError ETIMEDOUT
   */
  runToEnd(address: bigint, table: Table): void {
    const { pid } = this;
    this.#memory.write(address, table.bytes);
    this.#tracer.setRegisters(pid, this.#tableRegisters(pid, address, table.count, 0));
    // Let go where it has begun to exit: a zombie that is traced stays so.
    this.#toSyscall(pid);
    this.#tracer.detach(pid);
    const deadline = performance.now() + endMs;
    const stat = (): string => readFileSync(`/proc/${pid}/task/${pid}/stat`, 'latin1');
    while (!isGone(parseStatFacts(stat()))) {
      if (performance.now() > deadline) {
        throw new CkptError('ETIMEDOUT', `the leader ${pid} does not exit`);
      }
      this.#tracer.sleep(100);
    }
  }

  /**
   * Stops the process as SIGSTOP does: it stays so when it is let go. All signals are blocked, so
   * none other comes first.
   */
  stopByJobControl(): void {
    syscall('kill', this.pid, SIGSTOP);
    this.#tracer.cont(this.pid);
    while (this.wait(this.pid).event !== 0) this.#tracer.cont(this.pid);
    this.#tracer.cont(this.pid, SIGSTOP);
    this.wait(this.pid);
  }

  #toSyscall(tid: number): void {
    for (;;) {
      this.#tracer.contToSyscall(tid);
      const stop = this.wait(tid);
      if (stop.event === 0 && stop.signal === syscallStop) return;
      this.#pass(tid, stop);
    }
  }

  /** From a stop at a system call to one where the kernel looks at signals. */
  #settle(tid: number): void {
    this.#tracer.interrupt(tid);
    this.#tracer.cont(tid);
    this.waitStill(tid);
  }

  /** Any stop on the way that is harmless. @throws CkptError EFAULT for a fault of the executor. */
  #pass(tid: number, stop: Stop & { readonly kind: 'stopped' }): void {
    if (stop.event === ptraceEvents.CLONE) {
      this.born.push(Number(this.#tracer.getEventMessage(tid)));
      return;
    }
    if (jobControl.has(stop.signal)) {
      this.stopRequested = true;
      return;
    }
    if (stop.event !== 0 || stop.signal === SIGURG) return;
    const rip = getRegister(this.#tracer.getRegisters(tid), 'rip').toString(16);
    throw new CkptError('EFAULT', `thread ${tid} met signal ${stop.signal} at 0x${rip}`);
  }
}

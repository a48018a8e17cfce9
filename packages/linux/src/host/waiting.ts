import { CkptError } from '@ckpt/format';
import process from 'node:process';
import type { Sleeps } from './asleep.ts';
import { madeAgain, type MakeAgain, type Read } from './made-again.ts';
import type { Memory } from './memory.ts';
import type { Tracer } from './ptrace.ts';
import { readOwnState, type OwnState } from './tracee.ts';

/** A thread as it was taken over. */
interface Taken {
  /** As it stood; its registers are those with which it goes on. */
  readonly own: OwnState;
  /** Undefined where its own registers are right. */
  readonly again: MakeAgain | undefined;
  /** Since when it waits, by CLOCK_MONOTONIC, nanoseconds; undefined: nobody knows. */
  readonly since: bigint | undefined;
  /** Nanoseconds until it was taken over. */
  readonly asleep: bigint | undefined;
}

/**
 * The frozen threads as they are to go on: a call that the stop ended is made again, with the time
 * that is left. Whatever happens to this process, its threads have such registers from
 * {@link takeOver} on.
 */
export class Waiting {
  readonly #tracer: Tracer;
  readonly #memory: Memory;
  readonly #sleeps: Sleeps;
  readonly #taken = new Map<number, Taken>();

  constructor(tracer: Tracer, memory: Memory, sleeps: Sleeps) {
    this.#tracer = tracer;
    this.#memory = memory;
    this.#sleeps = sleeps;
  }

  /** Reads a thread's state before anything is changed. @throws CkptError EOPNOTSUPP, ESRCH. */
  takeOver(tid: number): void {
    const own = readOwnState(this.#tracer, this.#memory, tid);
    const since = this.#sleeps.since(tid);
    const asleep = since === undefined ? undefined : process.hrtime.bigint() - since;
    const again = madeAgain(own.registers, this.#read);
    const registers = again === undefined ? own.registers : this.#set(tid, again, asleep);
    this.#taken.set(tid, { own: { ...own, registers }, again, since, asleep });
  }

  /** @throws CkptError ESRCH for a thread that was not there. */
  own(tid: number): OwnState {
    return this.#of(tid).own;
  }

  /** Nanoseconds for which a thread had waited when it was stopped. */
  asleep(tid: number): bigint | undefined {
    return this.#of(tid).asleep;
  }

  /** Time has passed while they stood still: the last thing before they are let go. */
  refresh(): void {
    for (const [tid, { again, since }] of this.#taken) {
      if (again === undefined || since === undefined) continue;
      this.#set(tid, again, process.hrtime.bigint() - since);
    }
  }

  #of(tid: number): Taken {
    const taken = this.#taken.get(tid);
    if (taken === undefined) throw new CkptError('ESRCH', `there is no thread ${tid}`);
    return taken;
  }

  readonly #read: Read = (at, length) => {
    try {
      return this.#memory.read(at, length);
    } catch (error) {
      // Registers lead anywhere.
      if (error instanceof CkptError && error.code === 'EFAULT') return undefined;
      throw error;
    }
  };

  /** Returns the registers that it has set. */
  #set(tid: number, again: MakeAgain, asleep = 0n): Uint8Array {
    const { registers, scratch } = again(asleep);
    // The whole time again where there is no room.
    if (!this.#write(scratch.at, scratch.bytes)) return this.#set(tid, again);
    this.#tracer.setRegisters(tid, registers);
    return registers;
  }

  #write(at: bigint, bytes: Buffer): boolean {
    if (bytes.length === 0) return true;
    if (this.#read(at, bytes.length) === undefined) return false;
    this.#memory.write(at, bytes);
    return true;
  }
}

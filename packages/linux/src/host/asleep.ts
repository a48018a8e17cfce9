import { CkptError } from '@ckpt/format';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { hasLimit } from './made-again.ts';
import type { ProcDirectory } from './proc-directory.ts';
import type { RegisterName } from './registers.ts';
import { address, stableBytes, syscall, trySyscall } from './syscall.ts';

/** linux/time.h */
const CLOCK_THREAD_CPUTIME_ID = 3;
/** Bytes of a set of processors: 8192 of them, what x86-64 can be configured for. */
const affinitySize = 1024;

/** Arguments of a call in the order of /proc/PID/syscall. */
const argumentNames: readonly RegisterName[] = ['rdi', 'rsi', 'rdx', 'r10', 'r8', 'r9'];

/** What /proc/PID/sched tells of the last switch. */
interface Switched {
  /** When the thread last began or ended to run, by its processor's clock. Nanoseconds. */
  readonly at: bigint;
  /** How often it fell asleep. */
  readonly times: bigint;
}

/** Undefined where the kernel does not tell (CONFIG_SCHED_DEBUG). */
export function parseSched(text: string): Switched | undefined {
  const [, ms, ns] = /^se\.exec_start\s*:\s*(\d+)\.(\d{6})$/m.exec(text) ?? [];
  const [, times] = /^nr_voluntary_switches\s*:\s*(\d+)$/m.exec(text) ?? [];
  const at = BigInt((ms ?? '') + (ns ?? ''));
  // 0: it was moved to another processor meanwhile.
  return at === 0n || times === undefined ? undefined : { at, times: BigInt(times) };
}

/** True for a thread that waits in a call for a limited time (/proc/PID/syscall). */
export function waitsForTime(text: string): boolean {
  const [call = '', ...words] = text.trim().split(' ');
  if (!/^\d+$/.test(call)) return false;
  const register = (name: RegisterName): bigint => BigInt(words[argumentNames.indexOf(name)] ?? 0);
  return hasLimit(BigInt(call), register);
}

const ownSched = (): string => {
  try {
    return readFileSync('/proc/thread-self/sched', 'latin1');
  } catch {
    return '';
  }
};

/**
 * What CLOCK_MONOTONIC shows when the clock of a processor is 0, nanoseconds: these clocks differ,
 * as they leave out what interrupts and other machines take. Never too early. Undefined where this
 * thread may not run there.
 */
function beginOfClock(processor: number): bigint | undefined {
  const own = stableBytes(affinitySize);
  const size = trySyscall('sched_getaffinity', 0, affinitySize, address(own));
  if (size < 0 || processor >= size * 8) return undefined;
  const there = stableBytes(affinitySize);
  there[processor >> 3] = 1 << (processor & 7);
  if (trySyscall('sched_setaffinity', 0, size, address(there)) < 0) return undefined;
  try {
    // Brings what is read next up to date.
    syscall('clock_gettime', CLOCK_THREAD_CPUTIME_ID, address(stableBytes(16)));
    const now = parseSched(ownSched());
    return now === undefined ? undefined : process.hrtime.bigint() - now.at;
  } finally {
    trySyscall('sched_setaffinity', 0, size, address(own));
  }
}

/** A sleep that was seen. */
interface Seen {
  /** How often the thread had fallen asleep, this time included. */
  readonly times: bigint;
  /** By CLOCK_MONOTONIC, nanoseconds. */
  readonly since: bigint;
}

/** Since when the threads of a process sleep: looked at before they are stopped, which wakes them. */
export class Sleeps {
  readonly #proc: ProcDirectory;
  readonly #seen = new Map<number, Seen>();
  readonly #clocks = new Map<number, bigint | undefined>();

  constructor(proc: ProcDirectory) {
    this.#proc = proc;
  }

  /** Looks at all threads that wait in a call for a limited time. */
  look(): void {
    for (const tid of this.#proc.list('task').map(Number)) {
      const seen = this.#look(tid);
      if (seen !== undefined) this.#seen.set(tid, seen);
    }
  }

  /**
   * Since when a thread that stands now has slept, by CLOCK_MONOTONIC; undefined where it has run
   * in between, or nobody knows.
   */
  since(tid: number): bigint | undefined {
    const seen = this.#seen.get(tid);
    if (seen === undefined) return undefined;
    // To stand still is to fall asleep once more.
    const now = parseSched(this.#text(tid, 'sched'));
    return now?.times === seen.times + 1n ? seen.since : undefined;
  }

  #look(tid: number): Seen | undefined {
    const call = this.#text(tid, 'syscall');
    if (!waitsForTime(call)) return undefined;
    const fell = parseSched(this.#text(tid, 'sched'));
    const stat = this.#text(tid, 'stat');
    // What was read is of one sleep only if the thread is in it still.
    if (fell === undefined || this.#text(tid, 'syscall') !== call) return undefined;
    const processor = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[36]);
    const begin = this.#beginOf(processor);
    return begin === undefined ? undefined : { times: fell.times, since: begin + fell.at };
  }

  #beginOf(processor: number): bigint | undefined {
    if (!this.#clocks.has(processor)) this.#clocks.set(processor, beginOfClock(processor));
    return this.#clocks.get(processor);
  }

  /** Empty for a thread that is gone, or where nothing may be read. */
  #text(tid: number, name: string): string {
    try {
      return this.#proc.readText(`task/${tid}/${name}`);
    } catch (error) {
      if (error instanceof CkptError) return '';
      throw error;
    }
  }
}

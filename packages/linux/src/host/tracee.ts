import { CkptError } from '@ckpt/format';
import type { Memory } from './memory.ts';
import type { RseqConfiguration, Stop, Tracer } from './ptrace.ts';
import { getRegister, registersSize } from './registers.ts';

/** Everything of a stopped thread that an injection could change, read before the first one. */
export interface OwnState {
  /** struct user_regs_struct. */
  readonly registers: Uint8Array;
  /** Bit 0 is signal 1. */
  readonly mask: bigint;
  readonly rseq: RseqConfiguration & {
    /** The word rseq_cs; 0 outside of a critical section. */
    readonly criticalSection: bigint;
    /** Where the section's abort handler is. */
    readonly abort: bigint;
  };
}

/** Offset of rseq_cs in struct rseq (linux/rseq.h). */
const rseqCs = 8n;

/**
 * The critical section that the thread stands in (struct rseq_cs); the kernel leaves the word alone
 * when a section has ended, so what it names may be passed.
 */
function readRseq(tracer: Tracer, memory: Memory, tid: number, rip: bigint): OwnState['rseq'] {
  const rseq = tracer.getRseq(tid);
  const none = { ...rseq, criticalSection: 0n, abort: 0n };
  if (rseq.address === 0n) return none;
  const criticalSection = memory.readWord(rseq.address + rseqCs);
  if (criticalSection === 0n) return none;
  const section = memory.read(criticalSection, 32);
  const past = rip - section.readBigUInt64LE(8);
  if (past < 0n || past >= section.readBigUInt64LE(16)) return none;
  return { ...rseq, criticalSection, abort: section.readBigUInt64LE(24) };
}

/** @throws CkptError EOPNOTSUPP for a thread that runs 32-bit code. */
export function readOwnState(tracer: Tracer, memory: Memory, tid: number): OwnState {
  const registers = tracer.getRegisters(tid);
  if (registers.length !== registersSize) {
    throw new CkptError('EOPNOTSUPP', `thread ${tid} runs 32-bit code: only x86-64 is supported`);
  }
  const mask = tracer.getSignalMask(tid);
  return { registers, mask, rseq: readRseq(tracer, memory, tid, getRegister(registers, 'rip')) };
}

/**
 * Puts a thread back: it stands in a stop where the kernel then looks at signals and at interrupted
 * calls. The critical section before the registers, as the kernel forgets it when it sees the
 * thread outside; the mask before the registers, as the executor still brings the thread back when
 * the tracer ends in between.
 */
export function putBack(tracer: Tracer, memory: Memory, tid: number, own: OwnState): void {
  const { address, criticalSection } = own.rseq;
  if (criticalSection !== 0n) memory.writeWord(address + rseqCs, criticalSection);
  tracer.setSignalMask(tid, own.mask);
  tracer.setRegisters(tid, own.registers);
}

/**
 * Writes to memory that the process itself may only read: not every kernel lets /proc/PID/mem do so
 * (CONFIG_PROC_MEM_NO_FORCE), then word by word through the thread.
 */
export function writeForced(
  tracer: Tracer,
  memory: Pick<Memory, 'write'>,
  tid: number,
  at: bigint,
  bytes: Uint8Array,
): void {
  try {
    memory.write(at, bytes);
  } catch (error) {
    if (!(error instanceof CkptError) || error.code !== 'EFAULT') throw error;
    tracer.poke(tid, at, bytes);
  }
}

/** @throws CkptError ESRCH for a thread that has ended, ETIMEDOUT for one that did not stop. */
export function mustStop(tid: number, stop: Stop | undefined): Stop & { kind: 'stopped' } {
  if (stop === undefined) {
    throw new CkptError('ETIMEDOUT', `thread ${tid} did not stop in time`);
  }
  if (stop.kind === 'stopped') return stop;
  const how = stop.kind === 'killed' ? `killed by signal ${stop.signal}` : 'gone';
  throw new CkptError('ESRCH', `thread ${tid} was ${how} while it was traced`);
}

import type { DieStep, Step } from '@ckpt/engine';
import { CkptError } from '@ckpt/format';
import { readFileSync } from 'node:fs';
import type { Memory } from './memory.ts';
import type { Tracer } from './ptrace.ts';
import { withRegisters } from './registers.ts';
import { at, nameOf } from './run-error.ts';
import { withSyscallInstruction } from './run-gadget.ts';
import type { Block } from './run-memory.ts';
import type { PlannedResume } from './run-plan.ts';
import { encodeTable, type Entry, type Ground } from './run-table.ts';
import type { Tracee } from './run-tracee.ts';
import { syscallNumbers } from './syscall-numbers.ts';

export interface ResumeScope {
  readonly tracer: Tracer;
  readonly tracee: Tracee;
  readonly memory: Memory;
  /** Descriptor of /proc/PID/maps. */
  readonly maps: number;
  readonly block: Block;
  readonly ground: Ground;
}

const allSignals = -1n;
/** The kernel can go on with the call by a restart block of the task. */
const ERESTART_RESTARTBLOCK = -516n;

/** Signals to queue, 128-byte siginfo each. */
interface Pending {
  readonly pending: readonly Uint8Array[];
  readonly pendingShared: readonly Uint8Array[];
}

/** Queues a stored siginfo: only to itself may a thread give any sender and reason. */
function pendingEntries(pid: number, tid: number, step: Pending): readonly Entry[] {
  const signalOf = (siginfo: Uint8Array): bigint =>
    BigInt(new DataView(siginfo.buffer, siginfo.byteOffset).getInt32(0, true));
  const own = step.pending.map((bytes, index) => ({
    id: `pending ${index}`,
    number: syscallNumbers.rt_tgsigqueueinfo,
    args: [BigInt(pid), BigInt(tid), signalOf(bytes), { blob: { bytes, pointers: [] } }],
    goOn: true,
  }));
  const shared = step.pendingShared.map((bytes, index) => ({
    id: `pending shared ${index}`,
    number: syscallNumbers.rt_sigqueueinfo,
    args: [BigInt(pid), signalOf(bytes), { blob: { bytes, pointers: [] } }],
    goOn: true,
  }));
  return [...own, ...shared];
}

function queuePending({ tracee, ground }: ResumeScope, step: Step & Pending): void {
  const tid = tracee.tid(step.on);
  const entries = pendingEntries(tracee.pid, tid, step);
  for (let done = 0; done < entries.length;) {
    const table = encodeTable(entries, done, ground);
    const results = tracee.runTableTraced(tid, ground.address, table);
    const failed = results.find((result) => result < 0n);
    if (failed !== undefined) {
      const code = nameOf(failed);
      throw new CkptError(code, 'a pending signal could not be queued again', at(step));
    }
    done += table.count;
  }
}

/** Registers with which a thread runs on, its sleep begun again where it was in one. */
function finalRegisters({ tracee, ground }: ResumeScope, { step, sleep }: PlannedResume) {
  if (sleep === undefined) return step.registers;
  const table = encodeTable([sleep], 0, ground);
  const result = tracee.runInterrupted(tracee.tid(step.on), ground.address, table);
  // Anything else is what the program gets: the time was over, or the thing waited for was there.
  return result === ERESTART_RESTARTBLOCK
    ? step.registers
    : withRegisters(step.registers, { rax: result });
}

/** Nothing of the executor stays: the program's own code unmaps it. */
function unmapBlock({ tracer, tracee, memory, maps, block }: ResumeScope, tid: number): void {
  const [result] = withSyscallInstruction(memory, readFileSync(maps, 'latin1'), block, (address) =>
    tracee.runTraced(
      tid,
      withRegisters(tracer.getRegisters(tid), {
        rip: address,
        rax: syscallNumbers.munmap,
        rdi: block.address,
        rsi: block.length,
        eflags: 0x202,
        orig_rax: -1,
      }),
      1,
    ),
  );
  if (result !== 0n)
    throw new CkptError('EFAULT', `the executor could not be unmapped (${result})`);
}

function setState(scope: ResumeScope, { step }: PlannedResume, registers: Uint8Array): void {
  const { tracer, tracee, memory } = scope;
  try {
    tracer.setXstate(tracee.tid(step.on), step.xstate);
    tracer.setRegisters(tracee.tid(step.on), registers);
    for (const { address, value } of step.words) memory.writeWord(address, value);
  } catch (error) {
    if (!(error instanceof CkptError)) throw error;
    throw error.within(step.from.path, { position: step.from.position });
  }
}

/** A leader that exits while others run on: the last thing that it does in the executor. */
function endLeader({ tracer, tracee, ground }: ResumeScope, die: DieStep): void {
  tracer.setSignalMask(tracee.pid, allSignals);
  const args = [BigInt(die.status >> 8)];
  const exit: Entry = { id: die.id, number: syscallNumbers.exit, args, goOn: true };
  tracee.runToEnd(ground.address, encodeTable([exit], 0, ground));
}

/**
 * Gives every thread its final state; all of them still stand where the kernel looks at signals,
 * so that it restarts or ends interrupted calls as it does for any process.
 */
export function setFinalStates(
  scope: ResumeScope,
  resumes: readonly PlannedResume[],
  die?: DieStep,
): void {
  const { tracer, tracee } = scope;
  // Whoever else there is does what the leader does at the end, where that has exited.
  const last = tracee.tid(die === undefined ? tracee.pid : (resumes[0]?.step.on ?? 0));
  for (const { step } of resumes) tracer.setSignalMask(tracee.tid(step.on), allSignals);
  for (const { step } of resumes) queuePending(scope, step);
  if (die !== undefined) queuePending(scope, { ...die, pending: [] });
  const registers = resumes.map((resume) => finalRegisters(scope, resume));
  if (die !== undefined) endLeader(scope, die);
  unmapBlock(scope, last);
  if (tracee.stopRequested || resumes.some(({ step }) => step.stopped)) tracee.stopByJobControl();
  for (const [index, resume] of resumes.entries()) {
    setState(scope, resume, registers[index] ?? resume.step.registers);
  }
  for (const { step } of resumes) tracer.setSignalMask(tracee.tid(step.on), step.signalMask);
}

import { CkptError } from '@ckpt/format';
import type { DieStep, ResumeStep } from '../plan.ts';
import type { Operands } from './kernel-values.ts';
import type { ModelProcess } from './process.ts';
import { blockable } from './signals.ts';
import { beginSleep, ERESTART_RESTARTBLOCK } from './sleep.ts';
import type { ModelThread } from './thread.ts';

/** Index of a word in struct user_regs_struct (sys/user.h). */
const raxWord = 10;
const origRaxWord = 15;

/** @throws CkptError EINVAL for a state that no thread can have. */
function checkResume(process: ModelProcess, thread: ModelThread, step: ResumeStep): void {
  const { registers } = step;
  const view = new DataView(registers.buffer, registers.byteOffset, registers.length);
  const rax = view.getBigInt64(raxWord * 8, true);
  const origRax = view.getBigInt64(origRaxWord * 8, true);
  if (rax === ERESTART_RESTARTBLOCK && origRax >= 0n && step.sleep === undefined) {
    throw new CkptError(
      'EINVAL',
      'rax is -516 and there is no sleep that the kernel could go on with',
    );
  }
  if (thread.exitStatus !== undefined) {
    throw new CkptError('ESRCH', `thread ${thread.tid} has exited`);
  }
  if (step.pendingShared.length > 0 && thread !== process.leader) {
    throw new CkptError('EINVAL', `signals of the process belong to thread ${process.pid}`);
  }
  const { xstateSize } = process.machine.system.cpu;
  if (step.xstate.length !== xstateSize) {
    throw new CkptError('EINVAL', `${step.xstate.length} bytes of xstate, not ${xstateSize}`);
  }
}

function finalRegisters(process: ModelProcess, step: ResumeStep, operands: Operands): Uint8Array {
  const registers = step.registers.slice();
  if (step.sleep === undefined) return registers;
  const result = beginSleep(process, step.sleep.call, operands.words(step.sleep.args));
  if (result !== ERESTART_RESTARTBLOCK) {
    new DataView(registers.buffer).setBigInt64(raxWord * 8, result, true);
  }
  return registers;
}

/** Gives a thread its final state. @throws CkptError EINVAL, EFAULT with the place in the image. */
export function resumeStep(
  process: ModelProcess,
  thread: ModelThread,
  step: ResumeStep,
  operands: Operands,
): void {
  try {
    checkResume(process, thread, step);
    thread.registers = Uint8Array.from(finalRegisters(process, step, operands));
    thread.xstate = Uint8Array.from(step.xstate);
    thread.mask = blockable(step.signalMask);
    thread.pending = [...step.pending];
    if (thread === process.leader) process.signals.pending = [...step.pendingShared];
    for (const { address, value } of step.words) {
      const bytes = new Uint8Array(8);
      new DataView(bytes.buffer).setBigUint64(0, value, true);
      process.space.write(address, bytes);
    }
    process.isStopped ||= step.stopped;
    thread.isReady = true;
  } catch (error) {
    if (!(error instanceof CkptError)) throw error;
    throw error.within(step.from.path, { position: step.from.position });
  }
}

/**
 * exit(2) of one thread. A leader stays as a zombie until the others have ended; with nobody left
 * the process would end, and any other thread would be gone.
 * @throws CkptError EINVAL, ESRCH with the place in the image.
 */
export function dieStep(process: ModelProcess, thread: ModelThread, step: DieStep): void {
  const at = { path: [step.from.path], position: step.from.position };
  if (thread.exitStatus !== undefined) {
    throw new CkptError('ESRCH', `thread ${thread.tid} has exited already`, at);
  }
  if (thread !== process.leader) {
    throw new CkptError('EINVAL', `of thread ${thread.tid} nothing would be left`, at);
  }
  if (process.living.length < 2) {
    throw new CkptError('EINVAL', 'without another thread the process ends', at);
  }
  process.signals.pending = [...step.pendingShared];
  thread.exitStatus = step.status;
  thread.clearChildTid = 0n;
}

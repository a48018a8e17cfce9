import type { DieStep, ResumeStep, WipeStep } from '@ckpt/engine';
import { invalidStep } from './run-error.ts';
import { getSigned } from './registers.ts';

/** Bytes. Code, a table and some rooms find place in less; iovecs of loads and blobs do not. */
const holeLengthMin = 1 << 18;
const pageSize = 4096;
/** End of user space with four levels of page tables (arch/x86/include/asm/page_64_types.h). */
export const addressEnd = 0x7ffffffff000n;
/** A sleep that the kernel finishes by the restart block of the very task. */
const ERESTART_RESTARTBLOCK = -516n;

/** @throws CkptError EINVAL when the executor cannot live there. */
export function checkWipe(step: WipeStep): void {
  const { address, length } = step.hole;
  const where = `the hole 0x${address.toString(16)} of ${length} bytes`;
  if (length % pageSize !== 0) throw invalidStep(step, `${where} is not of whole pages`);
  if (length < holeLengthMin) throw invalidStep(step, `${where} is under ${holeLengthMin}`);
  if (address + BigInt(length) > addressEnd) throw invalidStep(step, `${where} is no user memory`);
}

/** @throws CkptError EINVAL: of any other thread than the leader nothing would be left. */
export function checkDie(step: DieStep, leader: number): void {
  if (step.on !== leader) throw invalidStep(step, `thread ${step.on} is not the leader ${leader}`);
}

/** @throws CkptError EINVAL for a state that no thread can have. */
export function checkResume(step: ResumeStep, leader: number): void {
  const { registers, pendingShared, sleep } = step;
  if (pendingShared.length > 0 && step.on !== leader) {
    throw invalidStep(step, `signals of the process belong to thread ${leader}`);
  }
  const restarts =
    getSigned(registers, 'rax') === ERESTART_RESTARTBLOCK && getSigned(registers, 'orig_rax') >= 0n;
  if (restarts && sleep === undefined) {
    throw invalidStep(step, 'rax is -516 and there is no sleep that the kernel could go on with');
  }
}

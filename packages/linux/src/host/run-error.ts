import type { CallStep, Step } from '@ckpt/engine';
import { CkptError, errnoName, type ErrnoName } from '@ckpt/format';
import { entryStatus } from './run-executor-code.ts';
import type { Outcome } from './run-table.ts';

/** Where a step comes from, as an error says it. */
export function at(step: Step): { readonly position: number; readonly path: readonly string[] } {
  return { position: step.from.position, path: [step.from.path] };
}

/** EINVAL at a step that is wrong by itself. */
export function invalidStep(step: Step, sentence: string): CkptError {
  return new CkptError('EINVAL', sentence, at(step));
}

/** What the kernel said: the name of a negative result. */
export function nameOf(result: bigint): ErrnoName {
  return errnoName(Number(-result)) ?? 'EIO';
}

/** Errno and sentence of a call that did not do what the plan wants of it. */
export function failureOf(
  step: CallStep,
  { status, result }: Outcome,
): { readonly code: ErrnoName; readonly sentence: string } {
  switch (status) {
    case entryStatus.otherResult: {
      const sentence = `${step.what}: ${step.call} returned ${result}, not ${step.expect ?? 0}`;
      return { code: 'EIO', sentence };
    }
    case entryStatus.otherBytes:
      return { code: 'ESTALE', sentence: `${step.what}: ${step.call} found something else` };
    default:
      return { code: nameOf(result), sentence: step.what };
  }
}

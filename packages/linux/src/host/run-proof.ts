import type { Plan } from '@ckpt/engine';
import { findHolder } from './holders.ts';
import { externalsOf } from './run-externals.ts';
import { cloneFailure } from './run-holder.ts';
import { compilePlan } from './run-plan.ts';
import { choosesPids } from './system.ts';

const EPERM = 1;

/**
 * Makes the checks of a run that come before anything is made.
 * @throws CkptError EINVAL or ENOSYS at a step that cannot be run; EPERM when ids may not be chosen.
 */
export function proveRun(plan: Plan): void {
  const { spawn } = compilePlan(plan, externalsOf(plan, undefined, false).numbers);
  if (plan.pid !== 0 && !choosesPids()) throw cloneFailure(spawn, EPERM, findHolder);
}

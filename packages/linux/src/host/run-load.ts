import type { LoadStep } from '@ckpt/engine';
import { fillMemory, inStep, type LoadScope, type Piece } from './run-fill.ts';
import { Fillings } from './run-load-descriptors.ts';
import type { PlannedLoad } from './run-plan.ts';

/**
 * Loads stored pages, in their order.
 * @throws CkptError EPIPE when the image ends before, or as the call that failed.
 */
export function load(scope: LoadScope, tid: number, loads: readonly PlannedLoad[]): void {
  let pieces: Piece[] = [];
  let first: LoadStep | undefined;
  const flush = (): void => {
    if (first !== undefined)
      inStep(first, () => {
        fillMemory(scope, tid, pieces);
      });
    pieces = [];
    first = undefined;
  };
  const fillings = new Fillings(scope, tid);
  for (const { step, fd } of loads) {
    if (fd !== undefined) {
      flush();
      fillings.add({ step, fd });
    } else if ('address' in step.to) {
      fillings.flush();
      first ??= step;
      pieces.push({ address: step.to.address, length: step.length, index: step.index });
    }
  }
  flush();
  fillings.flush();
}

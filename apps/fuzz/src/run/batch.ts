import fc from 'fast-check';
import type { Campaign } from '../campaign.ts';
import { MadeArbitrary, type Made } from './made.ts';

/** Executions are numbered in batches: one seed of fast-check each. */
export interface Batch {
  /** Of the whole run. */
  readonly seed: number;
  /** Index of the batch. */
  readonly batch: number;
  /** Executions in it. */
  readonly count: number;
  /** Milliseconds since the epoch after which no execution begins. */
  readonly deadline?: number | undefined;
}

/** Seed of one batch: 32 bits that differ for every campaign and batch (FNV-1a, then mixed). */
function seedOf(campaign: string, { seed, batch }: Batch): number {
  let hash = 0x811c9dc5;
  for (const character of `${campaign} ${seed} ${batch}`) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39);
  return hash ^ (hash >>> 15);
}

/** Hands out what the campaign makes in a batch, from execution `from` on. */
export function eachOf<T>(
  campaign: Campaign<T>,
  batch: Batch,
  use: (made: Made<T>, index: number) => void,
  from = 0,
): void {
  let index = from;
  const property = fc.property(new MadeArbitrary(campaign), (made) => {
    use(made, index++);
  });
  const seed = seedOf(campaign.name, batch);
  const numRuns = batch.count - from;
  const left = (batch.deadline ?? Infinity) - Date.now();
  if (numRuns <= 0 || left <= 0) return;
  const limit = left === Infinity ? {} : { interruptAfterTimeLimit: left };
  const path = String(from);
  const details = fc.check(property, { seed, numRuns, path, endOnFailure: true, ...limit });
  // What goes wrong in an execution is caught there; this is the harness itself.
  const { errorInstance: cause } = details;
  if (cause !== null) throw new Error(`what ${campaign.name} tries cannot be made`, { cause });
}

/** One execution of a batch. */
export function madeAt<T>(campaign: Campaign<T>, batch: Batch, index: number): Made<T> {
  let found: Made<T> | undefined;
  const only = { seed: batch.seed, batch: batch.batch, count: index + 1 };
  eachOf(campaign, only, (made) => (found = made), index);
  if (found === undefined) throw new Error(`no execution ${index} in a batch of ${batch.count}`);
  return found;
}

/**
 * The smallest that fast-check finds to fail as execution `index` of a batch does; that one itself
 * where nothing smaller does.
 */
export function shrunkAt<T>(
  campaign: Campaign<T>,
  batch: Batch,
  index: number,
  fails: (value: T) => boolean,
  timeMs: number,
): Made<T> {
  const property = fc.property(new MadeArbitrary(campaign), ({ value }) => !fails(value));
  const { counterexample } = fc.check(property, {
    seed: seedOf(campaign.name, batch),
    path: String(index),
    numRuns: 1,
    interruptAfterTimeLimit: timeMs,
  });
  return counterexample?.[0] ?? madeAt(campaign, batch, index);
}

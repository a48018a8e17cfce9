import type { Campaign } from '../campaign.ts';
import type { Finding } from './finding.ts';
import type { Limits } from './limits.ts';
import { Search } from './search.ts';

/** How long a campaign goes on: until the first of both. */
export interface Budget {
  /** Executions. */
  readonly runs?: number | undefined;
  /** Milliseconds. */
  readonly timeMs?: number | undefined;
}

/** What a campaign did. */
export interface Result {
  readonly campaign: string;
  readonly executions: number;
  readonly ms: number;
  /** By key, each as small as it got. */
  readonly findings: readonly Finding[];
}

/** Executions that one seed of fast-check gives. */
const batchSize = 64;

/** How many of them are in a batch of so many runs. */
export function batchCount(batch: number, runs = Infinity): number {
  return Math.max(0, Math.min(batchSize, runs - batch * batchSize));
}

/** Runs a campaign in this very thread: nothing ends an execution that hangs. */
export function runHere<T>(
  campaign: Campaign<T>,
  seed: number,
  budget: Budget,
  limits?: Limits,
): Result {
  const findings = new Map<string, Finding>();
  let executions = 0;
  const search = new Search(
    campaign,
    {
      found: (finding) => findings.set(finding.fault.key, finding),
      at: (_index, phase) => {
        if (phase === 'done') executions += 1;
      },
    },
    limits,
  );
  const begin = Date.now();
  const end = begin + (budget.timeMs ?? Infinity);
  for (let batch = 0; Date.now() < end; batch++) {
    const count = batchCount(batch, budget.runs);
    if (count === 0) break;
    search.run({ seed, batch, count, deadline: end });
  }
  const ms = Date.now() - begin;
  return { campaign: campaign.name, executions, ms, findings: [...findings.values()] };
}

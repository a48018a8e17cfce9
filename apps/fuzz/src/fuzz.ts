import { randomInt } from 'node:crypto';
import { statSync } from 'node:fs';
import type { Campaign } from './campaign.ts';
import { campaignsOver, readSeeds } from './corpus.ts';
import { loadFinding, saveFinding, type Replayable } from './findings.ts';
import { Live, progressOf } from './live.ts';
import { isClean, report, summary } from './report.ts';
import type { Finding } from './run/finding.ts';
import type { Result } from './run/here.ts';
import { Pool } from './run/pool.ts';

/** The command line was wrong. */
export class UsageError extends Error {}

export interface Settings {
  /** Names; all where there are none. */
  readonly campaigns: readonly string[];
  readonly seed?: number;
  /** Seconds. */
  readonly time?: number;
  readonly runs?: number;
  readonly jobs: number;
  readonly corpus?: string;
  readonly findings: string;
  readonly json?: true;
  /** The module that workers run. */
  readonly entry: URL;
}

const timeDefault = 60;

function chosen(all: readonly Campaign[], names: readonly string[]): readonly Campaign[] {
  const unknown = names.find((name) => !all.some((campaign) => campaign.name === name));
  if (unknown !== undefined) {
    const known = all.map(({ name }) => name).join(', ');
    throw new UsageError(`there is no campaign ${unknown}: there are ${known}`);
  }
  return names.length === 0 ? all : all.filter(({ name }) => names.includes(name));
}

/** @throws UsageError when there is no such folder, or no image in it. */
function checkCorpus(folder: string | undefined): void {
  if (folder === undefined) return;
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new UsageError(`there is no folder ${folder}`);
  }
  const { base, process: whole } = readSeeds(folder);
  if (base.length + whole.length === 0) throw new UsageError(`there is no image in ${folder}`);
}

/** One campaign after another, each with its share of the time that is left. */
async function runAll(
  pool: Pool,
  campaigns: readonly Campaign[],
  seed: number,
  { time, runs, findings: folder }: Settings,
  stopped: () => boolean,
): Promise<readonly Result[]> {
  const live = new Live(process.stderr);
  const limit = time ?? (runs === undefined ? timeDefault : Infinity);
  for (const campaign of campaigns) await pool.prepare(campaign);
  const end = Date.now() + limit * 1000;
  const results: Result[] = [];
  for (const [index, campaign] of campaigns.entries()) {
    if (stopped()) break;
    const timeMs = (end - Date.now()) / (campaigns.length - index);
    const keys = new Set<string>();
    const begin = Date.now();
    live.begin(() => ({
      ...{ campaign: campaign.name, executions: pool.executions },
      ...{ findings: keys.size, ms: Date.now() - begin },
    }));
    const found = (finding: Finding): void => {
      keys.add(finding.fault.key);
      saveFinding(folder, finding);
    };
    const budget = { runs, timeMs: timeMs === Infinity ? undefined : timeMs };
    const result = await pool.run({ campaign, seed, budget, found });
    live.end(progressOf(result));
    results.push(result);
  }
  return results;
}

/** Runs campaigns; returns the exit status. */
export async function fuzz(settings: Settings): Promise<number> {
  const { corpus, jobs, entry, json, findings: folder } = settings;
  checkCorpus(corpus);
  const campaigns = chosen(campaignsOver(corpus), settings.campaigns);
  const seed = settings.seed ?? randomInt(2 ** 32);
  process.stderr.write(`seed ${seed}\n`);
  const pool = new Pool({ jobs, entry, corpus });
  let stopped = false;
  const stop = (): void => {
    stopped = true;
    pool.stop();
  };
  process.once('SIGINT', stop);
  try {
    const results = await runAll(pool, campaigns, seed, settings, () => stopped);
    if (json === true) process.stdout.write(`${JSON.stringify(summary(seed, results, folder))}\n`);
    else report(results, folder);
    return isClean(results) ? 0 : 1;
  } finally {
    process.removeListener('SIGINT', stop);
    await pool.close();
  }
}

/** Tries a saved finding again; returns 1 when it still fails. */
export async function replay(path: string, entry: URL): Promise<number> {
  let finding: Replayable;
  try {
    finding = loadFinding(path);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : path);
  }
  const [campaign] = chosen(campaignsOver(undefined), [finding.campaign]);
  if (campaign === undefined) throw new Error('no campaign');
  const pool = new Pool({ jobs: 1, entry, corpus: undefined });
  try {
    const fault = await pool.retry(campaign, finding.input);
    const still = fault === undefined ? 'does not fail any more' : `still fails: ${fault.message}`;
    process.stdout.write(`${path}: ${still}\n${fault === undefined ? '' : `${fault.stack}\n`}`);
    return fault === undefined ? 0 : 1;
  } finally {
    await pool.close();
  }
}

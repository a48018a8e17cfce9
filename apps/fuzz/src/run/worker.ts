import { parentPort, workerData } from 'node:worker_threads';
import { seeded } from '@ckpt/format';
import type { Campaign, Input } from '../campaign.ts';
import { batchCount } from './here.ts';
import { Shared, Slot, type Board } from './board.ts';
import { Executor } from './executor.ts';
import type { Fault } from './fault.ts';
import type { Finding } from './finding.ts';
import type { Limits } from './limits.ts';
import { Search } from './search.ts';

/** What a worker is made for. */
export interface WorkerData {
  readonly board: Board;
  readonly worker: number;
  readonly limits: Limits;
  /** Folder of images to start from, if any. */
  readonly corpus: string | undefined;
}

/** What it is told. */
export type Order =
  | {
      readonly order: 'search';
      readonly campaign: string;
      readonly seed: number;
      readonly runs: number | undefined;
      /** Milliseconds since the epoch. */
      readonly deadline: number | undefined;
      /** Where the worker before it was ended. */
      readonly resume: { readonly batch: number; readonly from: number } | undefined;
    }
  | { readonly order: 'try'; readonly campaign: string; readonly input: Input }
  /** Make what takes long to make once. */
  | { readonly order: 'prepare'; readonly campaign: string };

/** What it says. */
export type Word =
  | { readonly word: 'finding'; readonly finding: Finding }
  | { readonly word: 'done' }
  | { readonly word: 'tried'; readonly fault: Fault | undefined };

/** Things made before the first that counts. */
const preparations = 16;

/** Batches until there are no more. */
function search(
  campaign: Campaign,
  { board, worker, limits }: WorkerData,
  order: Extract<Order, { order: 'search' }>,
  say: (word: Word) => void,
): void {
  const shared = new Shared(board);
  const slot = new Slot(board, worker);
  const { seed, runs, deadline = Infinity } = order;
  const follower = {
    found: (finding: Finding) => {
      say({ word: 'finding', finding });
    },
    at: (index: number, phase: 'run' | 'shrink' | 'done') => {
      slot.enter(phase === 'done' ? 'make' : phase, phase === 'done' ? index + 1 : index);
      if (phase === 'run') slot.count();
    },
  };
  const searching = new Search(campaign, follower, limits);
  let resume = order.resume;
  while (!shared.stopped && Date.now() < deadline) {
    const batch = resume?.batch ?? shared.takeBatch();
    const from = resume?.from ?? 0;
    resume = undefined;
    const count = batchCount(batch, runs);
    if (count === 0) break;
    slot.batch = batch;
    slot.enter('make', from);
    searching.run({ seed, batch, count, deadline }, from);
  }
  slot.enter('done', 0);
}

/** Has made what a campaign makes only once: images to start from. */
function prepare(campaign: Campaign): void {
  const random = seeded(0);
  for (let count = 0; count < preparations; count++) campaign.make(random);
}

/** Runs as a worker: `campaignOf` finds the campaign of an order. */
export function serve(campaignOf: (name: string, corpus: string | undefined) => Campaign): void {
  const data = workerData as WorkerData;
  const port = parentPort;
  if (port === null) throw new Error('not in a worker');
  const say = (word: Word): void => {
    port.postMessage(word);
  };
  // Errors are half of all results: their stacks are taken where they matter.
  Error.stackTraceLimit = 0;
  port.on('message', (order: Order) => {
    const campaign = campaignOf(order.campaign, data.corpus);
    if (order.order === 'search') {
      search(campaign, data, order, say);
      say({ word: 'done' });
    } else if (order.order === 'prepare') {
      prepare(campaign);
      say({ word: 'done' });
    } else {
      const slot = new Slot(data.board, data.worker);
      slot.enter('run', 0);
      const fault = new Executor(campaign, data.limits).execute(campaign.load(order.input));
      slot.enter('done', 0);
      say({ word: 'tried', fault });
    }
  });
}

import type { Campaign, Input } from '../campaign.ts';
import { madeAt } from './batch.ts';
import { createBoard, Shared, type Board } from './board.ts';
import { Hand, type CrewOptions, type End, type Listener } from './crew.ts';
import type { Fault } from './fault.ts';
import type { Finding } from './finding.ts';
import { batchCount, type Budget, type Result } from './here.ts';
import { limits as usual, type Limits } from './limits.ts';
import { minimiseSlowly } from './minimise.ts';
import type { Order } from './worker.ts';

export interface PoolOptions extends Pick<CrewOptions, 'entry' | 'corpus'> {
  /** Workers. */
  readonly jobs: number;
  readonly limits?: Limits;
}

/** Asked of a pool: a campaign, and whom to tell. */
export interface Quest {
  readonly campaign: Campaign;
  readonly seed: number;
  readonly budget: Budget;
  /** A finding, new or smaller than before. */
  readonly found: (finding: Finding) => void;
}

const faultOfEnd = (end: End, target: string, { hangMs, heapMiB }: Limits): Fault => ({
  key: `${end} ${target}`,
  name: end === 'hang' ? 'Hang' : 'Memory',
  message:
    end === 'hang'
      ? `${target} had not ended after ${hangMs} ms`
      : `${target} needs more than ${heapMiB} MiB of objects`,
  stack: '',
});

/** How much longer than other findings one may take that costs a worker with every try. */
const lostFactor = 5;

/** A quest under way. */
interface Searching {
  readonly quest: Quest;
  /** Milliseconds since the epoch. */
  readonly deadline: number | undefined;
  readonly found: (finding: Finding) => void;
  /** A finding that took its worker with it. */
  readonly gone: (finding: Finding) => void;
}

/** Workers that run campaigns, one after another, and are watched. */
export class Pool {
  readonly #limits: Limits;
  readonly #board: Board;
  readonly #shared: Shared;
  readonly #hands: readonly Hand[];

  constructor({ jobs, limits = usual, ...rest }: PoolOptions) {
    this.#limits = limits;
    this.#board = createBoard(jobs);
    this.#shared = new Shared(this.#board);
    const options = { ...rest, limits, board: this.#board };
    this.#hands = Array.from({ length: jobs }, (_, index) => new Hand(options, index));
  }

  /** Executions of the campaign at hand. */
  get executions(): number {
    return this.#shared.executions;
  }

  /** The campaign at hand ends with its batches. */
  stop(): void {
    this.#shared.stop();
  }

  async close(): Promise<void> {
    await Promise.all(this.#hands.map((hand) => hand.dismiss()));
  }

  async run(quest: Quest): Promise<Result> {
    const { campaign, budget } = quest;
    this.#shared.reset();
    const findings = new Map<string, Finding>();
    const lost: Finding[] = [];
    const found = (finding: Finding): void => {
      const before = findings.get(finding.fault.key);
      // Two workers may find the same: the smaller one stays.
      if (before !== undefined && before.input.bytes.length < finding.input.bytes.length) return;
      findings.set(finding.fault.key, finding);
      quest.found(finding);
    };
    const begin = Date.now();
    const deadline = budget.timeMs === undefined ? undefined : begin + budget.timeMs;
    const gone = (finding: Finding): void => {
      if (!findings.has(finding.fault.key)) lost.push(finding);
      found(finding);
    };
    const search = { quest, deadline, found, gone };
    await Promise.all(this.#hands.map((hand) => this.#search(hand, search)));
    const ms = Date.now() - begin;
    const { executions } = this.#shared;
    for (const finding of lost) found(await this.#shortened(campaign, finding));
    return { campaign: campaign.name, executions, ms, findings: [...findings.values()] };
  }

  #search(hand: Hand, { quest, deadline, found, gone }: Searching): Promise<void> {
    const { campaign, seed, budget } = quest;
    const base = { order: 'search', campaign: campaign.name, seed, runs: budget.runs } as const;
    return new Promise((resolve, reject) => {
      const go = (resume?: { batch: number; from: number }): void => {
        const order: Order = { ...base, deadline, resume };
        hand.order(order, listener);
      };
      const listener: Listener = {
        said: (word) => {
          if (word.word === 'finding') found(word.finding);
          else resolve();
        },
        ended: (end) => {
          const { batch, index, phase } = hand.slot;
          if (phase === 'make') {
            reject(new Error(`${campaign.name}: execution ${index} of ${batch} cannot be made`));
            return;
          }
          if (phase === 'run') gone(this.#lost(campaign, { seed, batch, index }, end, budget));
          go({ batch, from: index + 1 });
        },
        broke: reject,
      };
      go();
    });
  }

  /** The finding that an execution is which took its worker with it. */
  #lost(
    campaign: Campaign,
    about: Pick<Finding, 'seed' | 'batch' | 'index'>,
    end: End,
    { runs }: Budget,
  ): Finding {
    const { seed, batch, index } = about;
    const made = madeAt(campaign, { seed, batch, count: batchCount(batch, runs) }, index);
    const input = campaign.save(made.value, made.numbers);
    const fault = faultOfEnd(end, input.target, this.#limits);
    return { ...about, campaign: campaign.name, fault, input };
  }

  /** What takes a worker with it is made smaller from outside. */
  async #shortened(campaign: Campaign, finding: Finding): Promise<Finding> {
    const { input, fault } = finding;
    const { shrinkMs, slowMs } = this.#limits;
    const end = Date.now() + lostFactor * shrinkMs;
    const hangMs = fault.name === 'Hang' ? 2 * slowMs : undefined;
    const fails = async (bytes: Uint8Array): Promise<boolean> => {
      const found = await this.retry(campaign, { ...input, bytes }, hangMs);
      return found?.key === fault.key;
    };
    const effort = { unit: campaign.unit, over: () => Date.now() > end };
    const bytes = await minimiseSlowly(input.bytes, fails, effort);
    return { ...finding, input: { ...input, bytes } };
  }

  /** Tries one input again; `hangMs`: what it may take. */
  retry(campaign: Campaign, input: Input, hangMs?: number): Promise<Fault | undefined> {
    const [hand] = this.#hands;
    if (hand === undefined) throw new Error('a pool without workers');
    return new Promise((resolve, reject) => {
      const listener: Listener = {
        said: (word) => {
          if (word.word === 'tried') resolve(word.fault);
        },
        ended: (end) => {
          resolve(faultOfEnd(end, input.target, this.#limits));
        },
        broke: reject,
      };
      hand.order({ order: 'try', campaign: campaign.name, input }, listener, hangMs);
    });
  }
}

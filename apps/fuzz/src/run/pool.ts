import type { Campaign, Input } from '../campaign.ts';
import { createBoard, Shared, type Board } from './board.ts';
import { Hand, type CrewOptions, type Listener } from './crew.ts';
import type { Fault } from './fault.ts';
import type { Finding } from './finding.ts';
import type { Budget, Result } from './here.ts';
import { limits as usual, type Limits } from './limits.ts';
import { faultOfEnd, lostFinding, shortened } from './lost.ts';
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

  /** Lets every worker begin, and make what is made once, before time is counted. */
  async prepare({ name }: Campaign): Promise<void> {
    const begun = this.#hands.map(
      (hand) =>
        new Promise<void>((resolve, reject) => {
          const ended = (): void => {
            reject(new Error(`${name} cannot be prepared`));
          };
          const said = (): void => {
            resolve();
          };
          hand.order({ order: 'prepare', campaign: name }, { said, ended, broke: reject });
        }),
    );
    await Promise.all(begun);
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
    for (const finding of lost) {
      const retry = (input: Input, hangMs?: number) => this.retry(campaign, input, hangMs);
      found(await shortened(campaign, finding, this.#limits, retry));
    }
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
          if (phase === 'run')
            gone(lostFinding(campaign, { seed, batch, index }, end, this.#limits));
          go({ batch, from: index + 1 });
        },
        broke: reject,
      };
      go();
    });
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

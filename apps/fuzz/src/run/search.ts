import type { Campaign } from '../campaign.ts';
import { eachOf, shrunkAt, type Batch } from './batch.ts';
import { Executor } from './executor.ts';
import type { Fault } from './fault.ts';
import type { Finding } from './finding.ts';
import { limits as usual, type Limits } from './limits.ts';
import type { Made } from './made.ts';
import { minimise } from './minimise.ts';

/** Who follows a search. */
export interface Follower {
  /** A new finding; then the same again, smaller. */
  found(finding: Finding): void;
  /** What is being done with which execution of the batch. */
  at?(index: number, phase: 'run' | 'shrink' | 'done'): void;
}

/** Different findings of one campaign; more would only be more of the same. */
const findingsMax = 25;

/** Runs batches of a campaign, and makes what it finds small. */
export class Search<T> {
  readonly #campaign: Campaign<T>;
  readonly #executor: Executor<T>;
  readonly #follower: Follower;
  readonly #limits: Limits;
  readonly #known = new Set<string>();

  constructor(campaign: Campaign<T>, follower: Follower, limits: Limits = usual) {
    this.#campaign = campaign;
    this.#executor = new Executor(campaign, limits);
    this.#follower = follower;
    this.#limits = limits;
  }

  /** Runs the executions of a batch from `from` on. */
  run(batch: Batch, from = 0): void {
    const follower = this.#follower;
    eachOf(
      this.#campaign,
      batch,
      (made, index) => {
        follower.at?.(index, 'run');
        const fault = this.#executor.execute(made.value);
        if (fault !== undefined) this.#found(batch, index, made, fault);
        follower.at?.(index, 'done');
      },
      from,
    );
  }

  #found(batch: Batch, index: number, made: Made<T>, fault: Fault): void {
    if (this.#known.has(fault.key) || this.#known.size >= findingsMax) return;
    this.#known.add(fault.key);
    const { seed, batch: number } = batch;
    const about = { campaign: this.#campaign.name, seed, batch: number, index };
    const tell = (one: Made<T>, why: Fault): void => {
      this.#follower.found({ ...about, fault: why, ...this.#saved(one) });
    };
    tell(made, fault);
    const fails = this.#failing(index, fault.key);
    const shrunk = shrunkAt(this.#campaign, batch, index, fails, this.#limits.shrinkMs / 2);
    const least = this.#cut(shrunk, fails);
    tell(least, this.#again(least.value) ?? fault);
  }

  /** Whether a value fails with that key. */
  #failing(index: number, key: string): (value: T) => boolean {
    return (value) => {
      this.#follower.at?.(index, 'shrink');
      return this.#again(value)?.key === key;
    };
  }

  #again(value: T): Fault | undefined {
    return new Executor(this.#campaign, this.#limits).execute(value);
  }

  /** What is left when bytes are taken out of what would be saved. */
  #cut(made: Made<T>, fails: (value: T) => boolean): Made<T> {
    const campaign = this.#campaign;
    const input = campaign.save(made.value, made.numbers);
    const end = Date.now() + this.#limits.shrinkMs / 2;
    const effort = { unit: campaign.unit, over: () => Date.now() > end };
    const load = (bytes: Uint8Array): T => campaign.load({ ...input, bytes });
    const bytes = minimise(input.bytes, (some) => fails(load(some)), effort);
    return { value: load(bytes), numbers: numbersIn(bytes, campaign.unit) };
  }

  #image(value: T): Uint8Array | undefined {
    try {
      return this.#campaign.image?.(value);
    } catch {
      // That there is none may be what was found.
      return undefined;
    }
  }

  #saved({ value, numbers }: Made<T>): Pick<Finding, 'input' | 'image'> {
    const image = this.#image(value);
    const input = this.#campaign.save(value, numbers);
    return { input, ...(image === undefined ? {} : { image }) };
  }
}

/** Numbers of a campaign over values; what is saved of one over bytes are the bytes. */
function numbersIn(bytes: Uint8Array, unit: number): readonly number[] {
  return unit === 4 ? [...new Uint32Array(bytes.slice().buffer)] : [];
}

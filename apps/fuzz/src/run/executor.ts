import { getHeapStatistics } from 'node:v8';
import type { Campaign } from '../campaign.ts';
import { attempt, type Fault } from './fault.ts';
import { limits as usual, type Limits } from './limits.ts';

/** How often something slow is tried: a busy machine is slow now and then, code always. */
const tries = 3;

const external = (): number => getHeapStatistics().external_memory;

/** Tries values in bounded time and memory, and counts them. */
export class Executor<T> {
  readonly campaign: Campaign<T>;
  readonly #limits: Limits;
  #executions = 0;
  /** Bytes of array buffers after the last execution; Infinity where others may have made some. */
  #external = external();

  constructor(campaign: Campaign<T>, limits: Limits = usual) {
    this.campaign = campaign;
    this.#limits = limits;
  }

  get executions(): number {
    return this.#executions;
  }

  execute(value: T): Fault | undefined {
    this.#executions += 1;
    const begin = performance.now();
    const fault = attempt(this.campaign, value);
    const ms = performance.now() - begin;
    if (fault !== undefined || ms > this.#limits.slowMs) this.#external = Infinity;
    if (fault !== undefined) return fault;
    if (ms > this.#limits.slowMs) return this.#slow(value);
    const growth = this.#growth();
    return growth > this.#limits.growthMax ? this.#greedy(value, growth) : undefined;
  }

  #growth(): number {
    const before = this.#external;
    this.#external = external();
    return this.#external - before;
  }

  #slow(value: T): Fault | undefined {
    let least = Infinity;
    for (let round = 0; round < tries; round++) {
      const begin = performance.now();
      attempt(this.campaign, value);
      least = Math.min(least, performance.now() - begin);
      if (least <= this.#limits.slowMs) return undefined;
    }
    const { target } = this.campaign.save(value, []);
    const message = `${target} takes ${least.toFixed(0)} ms, every time`;
    return { key: `slow ${target}`, name: 'Slow', message, stack: '' };
  }

  #greedy(value: T, growth: number): Fault {
    const { target } = this.campaign.save(value, []);
    const message = `${target} allocates ${growth} bytes`;
    return { key: `memory ${target}`, name: 'Memory', message, stack: '' };
  }
}

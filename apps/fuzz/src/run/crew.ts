import { Worker } from 'node:worker_threads';
import { Slot, type Board } from './board.ts';
import type { Limits } from './limits.ts';
import type { Order, Word, WorkerData } from './worker.ts';

/** How the work of a worker ended before its time. */
export type End = 'hang' | 'memory';

/** What becomes of an order. */
export interface Listener {
  said(word: Word): void;
  /** It was ended while it was at what its slot says; another one is in its place. */
  ended(end: End): void;
  /** It broke: a mistake of the harness. */
  broke(error: Error): void;
}

export interface CrewOptions {
  readonly entry: URL;
  readonly board: Board;
  readonly limits: Limits;
  readonly corpus: string | undefined;
}

/** How often a worker is looked at, milliseconds. */
const lookMs = 100;

/** A worker, replaced when it hangs or has no memory left. */
export class Hand {
  readonly #options: CrewOptions;
  readonly #index: number;
  readonly #slot: Slot;
  #worker: Worker;
  #listener: Listener | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: CrewOptions, index: number) {
    this.#options = options;
    this.#index = index;
    this.#slot = new Slot(options.board, index);
    this.#worker = this.#hire();
  }

  get slot(): Slot {
    return this.#slot;
  }

  /** `hangMs`: what it may take; that of the limits unless told. */
  order(order: Order, listener: Listener, hangMs = this.#options.limits.hangMs): void {
    this.#listener = listener;
    this.#worker.postMessage(order);
    this.#watch(hangMs);
  }

  async dismiss(): Promise<void> {
    clearInterval(this.#timer);
    this.#listener = undefined;
    await this.#worker.terminate();
  }

  #hire(): Worker {
    const { entry, board, limits, corpus } = this.#options;
    const data: WorkerData = { board, worker: this.#index, limits, corpus };
    const worker = new Worker(entry, {
      workerData: data,
      resourceLimits: { maxOldGenerationSizeMb: limits.heapMiB },
      // What it writes must not stand among the statistics.
      execArgv: [],
    });
    worker.on('message', (word: Word) => {
      if (word.word !== 'finding') clearInterval(this.#timer);
      this.#listener?.said(word);
    });
    worker.on('error', (error: NodeJS.ErrnoException) => {
      if (worker !== this.#worker) return;
      if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') this.#replace('memory');
      else this.#listener?.broke(error);
    });
    return worker;
  }

  #replace(end: End): void {
    clearInterval(this.#timer);
    const old = this.#worker;
    this.#worker = this.#hire();
    void old.terminate().then(() => {
      this.#listener?.ended(end);
    });
  }

  /** Ends the worker when nothing has happened for too long. */
  #watch(hangMs: number): void {
    clearInterval(this.#timer);
    let beat = this.#slot.beat;
    let since = Date.now();
    this.#timer = setInterval(() => {
      const now = Date.now();
      if (this.#slot.beat !== beat || this.#slot.phase === 'done') {
        beat = this.#slot.beat;
        since = now;
      } else if (now - since > hangMs) this.#replace('hang');
    }, lookMs);
  }
}

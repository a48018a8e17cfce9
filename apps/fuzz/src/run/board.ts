/** What threads tell each other while they are too busy for messages: words in shared memory. */
export interface Board {
  readonly words: SharedArrayBuffer;
  readonly counts: SharedArrayBuffer;
}

/** Words of the whole run, then of each worker. */
const word = { nextBatch: 0, stop: 1, size: 4 } as const;
const own = { batch: 0, index: 1, phase: 2, beat: 3, size: 4 } as const;

const phases = ['done', 'make', 'run', 'shrink'] as const;
export type Phase = (typeof phases)[number];

export function createBoard(workers: number): Board {
  return {
    words: new SharedArrayBuffer(4 * (word.size + workers * own.size)),
    counts: new SharedArrayBuffer(8 * workers),
  };
}

/** What all share. */
export class Shared {
  readonly #words: Int32Array;
  readonly #counts: BigInt64Array;

  constructor({ words, counts }: Board) {
    this.#words = new Int32Array(words);
    this.#counts = new BigInt64Array(counts);
  }

  /** Begins another campaign. */
  reset(): void {
    this.#words.fill(0);
    this.#counts.fill(0n);
  }

  /** Number of a batch that nobody has had. */
  takeBatch(): number {
    return Atomics.add(this.#words, word.nextBatch, 1);
  }

  get stopped(): boolean {
    return Atomics.load(this.#words, word.stop) !== 0;
  }

  stop(): void {
    Atomics.store(this.#words, word.stop, 1);
  }

  /** Executions of all workers. */
  get executions(): number {
    let sum = 0n;
    for (let worker = 0; worker < this.#counts.length; worker++) {
      sum += Atomics.load(this.#counts, worker);
    }
    return Number(sum);
  }
}

/** What one worker is at: written by it, read by whoever watches it. */
export class Slot {
  readonly #words: Int32Array;
  readonly #count: BigInt64Array;

  constructor({ words, counts }: Board, worker: number) {
    const start = 4 * (word.size + worker * own.size);
    this.#words = new Int32Array(words, start, own.size);
    this.#count = new BigInt64Array(counts, 8 * worker, 1);
  }

  get batch(): number {
    return Atomics.load(this.#words, own.batch);
  }

  set batch(batch: number) {
    Atomics.store(this.#words, own.batch, batch);
  }

  get index(): number {
    return Atomics.load(this.#words, own.index);
  }

  get phase(): Phase {
    return phases[Atomics.load(this.#words, own.phase)] ?? 'done';
  }

  /** Changes whenever something was done. */
  get beat(): number {
    return Atomics.load(this.#words, own.beat);
  }

  enter(phase: Phase, index: number): void {
    Atomics.store(this.#words, own.index, index);
    Atomics.store(this.#words, own.phase, phases.indexOf(phase));
    Atomics.add(this.#words, own.beat, 1);
  }

  /** One more execution has begun. */
  count(): void {
    Atomics.add(this.#count, 0, 1n);
  }
}

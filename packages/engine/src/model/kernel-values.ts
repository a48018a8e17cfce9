import { CkptError, errnoByName, errnoName, type ErrnoName } from '@ckpt/format';
import type { CallStep, Step, Value } from '../plan.ts';
import { makeCall } from './all-calls.ts';
import type { Arena } from './arena.ts';
import type { ModelProcess } from './process.ts';
import { Unmodelled } from './refuse.ts';

const at = ({ from }: Step) => ({ position: from.position, path: [from.path] });

const nameOf = (result: bigint): ErrnoName => errnoName(Number(-result)) ?? 'EIO';

/** Arguments of a plan become words, and words are looked at as the plan expects them. */
export class Operands {
  /** What steps returned; negative errnos of those that failed and were only warned of. */
  readonly results = new Map<string, bigint>();
  readonly #process: ModelProcess;
  readonly #arena: Arena;

  constructor(process: ModelProcess, arena: Arena) {
    this.#process = process;
    this.#arena = arena;
  }

  #lend(value: Extract<Value, { blob: Uint8Array }>): bigint {
    const bytes = value.blob.slice();
    const view = new DataView(bytes.buffer);
    for (const { offset, to } of value.pointers ?? []) {
      view.setBigUint64(offset, this.#arena.lend(to.slice()), true);
    }
    return this.#arena.lend(bytes);
  }

  #word(value: Value): bigint {
    if (typeof value !== 'object') return BigInt(value);
    if ('room' in value) return this.#arena.room(value.room, value.size);
    if ('blob' in value) return this.#lend(value);
    if ('result' in value) return this.results.get(value.result) ?? 0n;
    if ('external' in value) throw new Unmodelled(`descriptor ${value.external} from outside`);
    const bytes = this.#arena.roomBytes(value.word);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return BigInt(view.getInt32(value.index * 4, true));
  }

  /** Words of arguments; what is lent for them lasts until the next call. */
  words(values: readonly Value[]): readonly bigint[] {
    this.#arena.reset();
    for (const value of values) {
      if (typeof value === 'object' && 'room' in value) this.#arena.room(value.room, value.size);
    }
    return values.map((value) => this.#word(value));
  }

  /** A failed result that an argument depends on. */
  #poison(values: readonly Value[]): bigint | undefined {
    const results = values.flatMap((value) =>
      typeof value === 'object' && 'result' in value ? (this.results.get(value.result) ?? []) : [],
    );
    return results.find((result) => result < 0n);
  }

  #matches({ expectRoom }: CallStep): boolean {
    if (expectRoom === undefined) return true;
    const { room, offset, bytes } = expectRoom;
    const there = this.#arena.roomBytes(room);
    return bytes.every((byte, index) => byte === there[offset + index]);
  }

  /** Sentence and errno of a call that did not do what the plan wants. */
  #failure(step: CallStep, result: bigint): readonly [ErrnoName, string] | undefined {
    const expect = step.expect === undefined ? undefined : BigInt(step.expect);
    if (expect === undefined ? result < 0n : result !== expect) {
      if (result < 0n) return [nameOf(result), step.what];
      const sentence = `${step.what}: ${step.call} returned ${result.toString()}`;
      return ['EIO', `${sentence}, not ${(expect ?? 0n).toString()}`];
    }
    if (this.#matches(step)) return undefined;
    return ['ESTALE', `${step.what}: ${step.call} found something else`];
  }

  /**
   * Makes one call of a plan; `fault` instead of what it would do.
   * @returns what is to be said when it failed and may.
   * @throws CkptError when the plan cannot do without it; ENOSYS for what the model has not.
   */
  call(step: CallStep, fault?: ErrnoName): string | undefined {
    const poison = this.#poison(step.args);
    const thread = this.#process.thread(step.on === 0 ? this.#process.pid : step.on);
    let result: bigint;
    try {
      if (fault !== undefined) result = BigInt(-errnoByName[fault]);
      else
        result =
          poison ?? makeCall({ process: this.#process, thread }, step.call, this.words(step.args));
    } catch (error) {
      if (!(error instanceof CkptError)) throw error;
      throw error.within(step.from.path, at(step));
    }
    this.results.set(step.id, result);
    const failure = this.#failure(step, result);
    if (failure === undefined) return undefined;
    const [code, sentence] = failure;
    if (step.failure === 'fatal') throw new CkptError(code, sentence, at(step));
    // What depends on a call that failed adds nothing to what was said.
    return poison === undefined ? `${sentence}: ${code}` : undefined;
  }
}

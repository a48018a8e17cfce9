import type { Step, Value } from '@ckpt/engine';
import { invalidStep } from './run-error.ts';
import type { Operand } from './run-table.ts';

const numbersMax = 1000;

/** Turns the values of a plan, whose references are right, into operands; collects the rooms. */
export class Operands {
  readonly #externals: ReadonlyMap<string, number>;
  readonly #numbers = new Map<number, bigint>();
  readonly #rooms = new Map<string, number>();

  constructor(externals: ReadonlyMap<string, number>) {
    this.#externals = externals;
  }

  /** Bytes of each room. */
  get rooms(): ReadonlyMap<string, number> {
    return this.#rooms;
  }

  /** Flags and small numbers come again and again. */
  #number(value: number): bigint {
    const known = this.#numbers.get(value);
    if (known !== undefined) return known;
    const number = BigInt(value);
    if (this.#numbers.size < numbersMax) this.#numbers.set(value, number);
    return number;
  }

  /** @throws CkptError EINVAL for a descriptor that does not exist here. */
  of(step: Step, value: Value): Operand {
    if (typeof value === 'bigint') return value;
    if (typeof value === 'number') return this.#number(value);
    if ('blob' in value) return { blob: { bytes: value.blob, pointers: value.pointers ?? [] } };
    if ('word' in value || 'result' in value) return value;
    if ('room' in value) {
      this.#rooms.set(value.room, value.size);
      return { room: value.room };
    }
    const fd = this.#externals.get(value.external);
    if (fd === undefined) throw invalidStep(step, `there is no descriptor ${value.external} here`);
    return BigInt(fd);
  }
}

import { CkptError } from '@ckpt/format';
import type { CallStep, Step, Value } from './plan.ts';

const argsMax = 6;

/** EINVAL at the record that a step comes from. */
export function stepError(step: Step, sentence: string): CkptError {
  const options = { position: step.from.position, path: [step.from.path] };
  return new CkptError('EINVAL', `step ${step.id}: ${sentence}`, options);
}

/** What steps refer to each other by: ids of results, names of rooms. */
export class References {
  readonly #ids = new Set<string>();
  /** Bytes of each room. */
  readonly #rooms = new Map<string, number>();

  /** Later steps may refer to this one. */
  add(step: Step): void {
    if (this.#ids.has(step.id)) throw stepError(step, 'another step has this id');
    this.#ids.add(step.id);
  }

  /** Checks what a call is given, in which it may look at a room that is new. */
  args(step: Step, values: readonly Value[]): void {
    if (values.length > argsMax) throw stepError(step, `${values.length} arguments`);
    for (const value of values) this.#declare(step, value);
    for (const value of values) this.value(step, value);
  }

  call(step: CallStep): void {
    this.args(step, step.args);
    if (step.expectRoom === undefined) return;
    const { room, offset, bytes } = step.expectRoom;
    const size = this.#rooms.get(room);
    if (size === undefined) throw stepError(step, `there is no room ${room}`);
    if (offset < 0 || offset + bytes.length > size) {
      throw stepError(
        step,
        `${bytes.length} bytes at ${offset} of room ${room}, which has ${size}`,
      );
    }
  }

  #declare(step: Step, value: Value): void {
    if (typeof value !== 'object' || !('room' in value)) return;
    const size = this.#rooms.get(value.room);
    if (!Number.isSafeInteger(value.size) || value.size <= 0) {
      throw stepError(step, `a room of ${value.size} bytes`);
    }
    if (size !== undefined && size !== value.size) {
      throw stepError(step, `room ${value.room} has ${size} bytes, not ${value.size}`);
    }
    this.#rooms.set(value.room, value.size);
  }

  value(step: Step, value: Value): void {
    if (typeof value === 'number' && !Number.isSafeInteger(value)) {
      throw stepError(step, `${value} is no argument`);
    }
    if (typeof value !== 'object') return;
    if ('result' in value && !this.#ids.has(value.result)) {
      throw stepError(step, `no earlier step has the id ${value.result}`);
    }
    if ('word' in value) {
      const size = this.#rooms.get(value.word);
      if (size === undefined) throw stepError(step, `there is no room ${value.word}`);
      if (value.index < 0 || (value.index + 1) * 4 > size) {
        throw stepError(step, `word ${value.index} of room ${value.word}, which has ${size} bytes`);
      }
    }
    if ('blob' in value) this.#pointers(step, value);
  }

  #pointers(step: Step, { blob, pointers = [] }: Extract<Value, { blob: Uint8Array }>): void {
    for (const { offset } of pointers) {
      if (offset >= 0 && offset + 8 <= blob.length) continue;
      throw stepError(step, `a pointer at ${offset} of ${blob.length} bytes`);
    }
  }
}

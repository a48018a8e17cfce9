import type { Argument, Call } from '@ckpt/engine';
import { callModel, type ModelProcess, type ModelThread } from '@ckpt/engine/model';
import type { Random } from '@ckpt/format';

/** Builds a process by system calls of the model, which refuses what Linux refuses. */
export class Maker {
  readonly process: ModelProcess;
  readonly #random: Random;

  constructor(process: ModelProcess, random: Random) {
    this.process = process;
    this.#random = random;
  }

  /** 0 .. count - 1; 0 is the plainest. */
  below(count: number): number {
    return this.#random() % Math.max(1, count);
  }

  /** True once in so many times, and never from zeros. */
  once(times: number): boolean {
    return this.below(times) === times - 1;
  }

  /** One of them; the first is the plainest. */
  pick<T>(list: readonly [T, ...T[]]): T {
    return list[this.below(list.length)] ?? list[0];
  }

  /** 64 bits. */
  word(): bigint {
    return (BigInt(this.#random()) << 32n) | BigInt(this.#random());
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.#random() & 0xff);
  }

  /** Negative errno where it is refused; the rooms it has filled. */
  try(
    call: string,
    args: readonly Argument[],
    thread: ModelThread = this.process.leader,
  ): { readonly result: bigint; readonly out: readonly Uint8Array[] } {
    const asked: Call = { call, args };
    const [answer] = callModel(this.process, thread, [asked]);
    if (answer === undefined) throw new Error(`no answer to ${call}`);
    return answer;
  }

  /** What can only succeed: otherwise the generator, or the model, is wrong. */
  must(call: string, args: readonly Argument[], thread?: ModelThread): bigint {
    const { result } = this.try(call, args, thread);
    if (result < 0n)
      throw new Error(`${call}(${args.map(String).join(', ')}): ${result.toString()}`);
    return result;
  }

  /** Bytes that hold words of 8 bytes. */
  static words(...values: readonly bigint[]): Uint8Array {
    const bytes = new Uint8Array(values.length * 8);
    const view = new DataView(bytes.buffer);
    for (const [index, value] of values.entries()) {
      view.setBigUint64(index * 8, BigInt.asUintN(64, value), true);
    }
    return bytes;
  }
}

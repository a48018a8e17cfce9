import type { ModelProcess } from './process.ts';
import { refuse } from './refuse.ts';
import type { ModelThread } from './thread.ts';

/** Arguments of a system call: registers of 64 bits, taken as each call takes them. */
export class Words {
  readonly #words: readonly bigint[];

  constructor(words: readonly bigint[]) {
    this.#words = words.map((word) => BigInt.asUintN(64, word));
  }

  /** unsigned long: lengths, addresses, flags. */
  word(index: number): bigint {
    return this.#words[index] ?? 0n;
  }

  /** long */
  signed(index: number): bigint {
    return BigInt.asIntN(64, this.word(index));
  }

  /** int */
  int(index: number): number {
    return Number(BigInt.asIntN(32, this.word(index)));
  }

  /** unsigned int */
  unsigned(index: number): number {
    return Number(BigInt.asUintN(32, this.word(index)));
  }

  /** A number of bytes or of things, as far as a JavaScript number goes. @throws CkptError EINVAL */
  size(index: number): number {
    const word = this.word(index);
    if (word > 0xffff_ffffn) refuse('EINVAL', `${word.toString()} is too much`);
    return Number(word);
  }
}

/** Who makes a system call. */
export interface Caller {
  readonly process: ModelProcess;
  readonly thread: ModelThread;
}

/** One system call; a refusal is thrown. */
export type SystemCall = (caller: Caller, args: Words) => bigint | number;

/** By Linux name. */
export type SystemCalls = Readonly<Record<string, SystemCall>>;

/** By the number that is the first or second argument of prctl(2), fcntl(2), ioctl(2). */
export type SystemCallOptions = ReadonlyMap<number, SystemCall>;

import { seeded, type Random } from '@ckpt/format';
import fc from 'fast-check';
import { play, type Campaign } from '../campaign.ts';

/** Something to try, and the numbers that it was made from. */
export interface Made<T> {
  readonly value: T;
  readonly numbers: readonly number[];
}

/** Lists of numbers as fast-check shrinks them. */
const lists = fc.array(fc.nat(0xffffffff), { maxLength: 1_000_000, size: 'max' });

/**
 * What a campaign makes, as fast-check generates and shrinks it. The numbers come from one of
 * fast-check's own, and shrink as a list: to fewer, and to smaller ones.
 */
export class MadeArbitrary<T> extends fc.Arbitrary<Made<T>> {
  readonly #campaign: Campaign<T>;

  constructor(campaign: Campaign<T>) {
    super();
    this.#campaign = campaign;
  }

  override generate(source: fc.Random): fc.Value<Made<T>> {
    const draw = seeded(source.nextInt(0, 0xffffffff));
    const numbers: number[] = [];
    const random: Random = () => {
      const number = draw();
      numbers.push(number);
      return number;
    };
    return new fc.Value({ value: this.#campaign.make(random), numbers }, undefined);
  }

  override canShrinkWithoutContext(value: unknown): value is Made<T> {
    // Never true: what it was generated from cannot be told from a value alone.
    return value === this;
  }

  override shrink({ numbers }: Made<T>, context: unknown): fc.Stream<fc.Value<Made<T>>> {
    // Lists lose their first elements first; the last numbers drawn are the ones to spare.
    const backwards = [...numbers].reverse();
    return lists.shrink(backwards, context).map((shrunk) => {
      const fewer = [...shrunk.value].reverse();
      const value = this.#campaign.make(play(fewer));
      return new fc.Value({ value, numbers: fewer }, shrunk.context);
    });
  }
}

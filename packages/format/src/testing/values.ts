import fc from 'fast-check';
import { generate, type GenerateOptions } from '../generate.ts';
import type { Struct } from '../struct.ts';

/** Values of a struct; they shrink to what zeros generate. */
export function valuesOf<T>(struct: Struct<T>, options?: GenerateOptions): fc.Arbitrary<T> {
  return fc.array(fc.nat(0xffffffff), { maxLength: 400, size: 'max' }).map((numbers) => {
    let index = 0;
    return generate(struct, () => numbers[index++] ?? 0, options);
  });
}

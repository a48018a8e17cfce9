import type { Random } from '@ckpt/format';
import { below, oneOf, once } from '../draw.ts';
import { byteMutators } from './mutate-bytes.ts';
import { mutateRecords } from './mutate-records.ts';
import { joined, sealed, split } from './records.ts';

/** Mutations of one input: mostly one or two, so that it comes far. */
const mutationsMax = 6;

function count(random: Random): number {
  let many = 1;
  while (many < mutationsMax && once(random, 3)) many++;
  return many;
}

function someBytes(random: Random): Uint8Array {
  return Uint8Array.from({ length: below(random, 128) }, () => random());
}

function mutated(image: Uint8Array, random: Random, others: readonly Uint8Array[]): Uint8Array {
  let bytes = image;
  for (let left = count(random); left > 0; left--) {
    bytes = once(random, 2)
      ? joined(mutateRecords(split(bytes), random, others))
      : oneOf(random, byteMutators)(bytes, random, others);
  }
  return bytes;
}

/** A seed as it is, a mutated one, or now and then any bytes. */
export function mutatedSeed(random: Random, seeds: readonly Uint8Array[]): Uint8Array {
  const draw = random() & 63;
  if (draw === 63 || seeds.length === 0) return someBytes(random);
  const seed = oneOf(random, seeds);
  return draw === 0 ? seed : mutated(seed, random, seeds);
}

/** The same for process images, whose checksum mostly is that of what was mutated. */
export function mutatedProcess(random: Random, seeds: readonly Uint8Array[]): Uint8Array {
  const draw = random() & 63;
  if (draw === 63 || seeds.length === 0) return someBytes(random);
  const seed = oneOf(random, seeds);
  if (draw === 0) return seed;
  const bytes = mutated(seed, random, seeds);
  return draw < 48 ? sealed(split(bytes)) : bytes;
}

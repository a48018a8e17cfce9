import type { Random } from '@ckpt/format';
import { below, interesting, oneOf } from '../draw.ts';
import { joined } from './records.ts';

/** Makes other bytes of some; changes nothing in place. */
export type Mutator = (
  bytes: Uint8Array,
  random: Random,
  others: readonly Uint8Array[],
) => Uint8Array;

/** Bytes that one insertion or copy moves. */
const chunkMax = 96;

const flipBit: Mutator = (bytes, random) => {
  const copy = bytes.slice();
  const at = below(random, copy.length);
  if (at < copy.length) copy[at] = (copy[at] ?? 0) ^ (1 << (random() & 7));
  return copy;
};

const setByte: Mutator = (bytes, random) => {
  const copy = bytes.slice();
  const at = below(random, copy.length);
  if (at < copy.length) copy[at] = random();
  return copy;
};

/** A u16, u32 or u64 that is often one at which code turns. */
const setNumber: Mutator = (bytes, random) => {
  const size = oneOf(random, [4, 4, 2, 8]);
  if (bytes.length < size) return bytes;
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  const at = below(random, copy.length - size + 1);
  if (size === 2) view.setUint16(at, interesting(random, view.getUint16(at, true)), true);
  else if (size === 4) view.setUint32(at, interesting(random, view.getUint32(at, true)), true);
  else {
    view.setUint32(at, interesting(random), true);
    view.setUint32(at + 4, interesting(random), true);
  }
  return copy;
};

const truncate: Mutator = (bytes, random) => bytes.slice(0, below(random, bytes.length + 1));

const cutOut: Mutator = (bytes, random) => {
  const start = below(random, bytes.length + 1);
  const length = below(random, Math.min(chunkMax, bytes.length - start) + 1);
  return joined([bytes.subarray(0, start), bytes.subarray(start + length)]);
};

const insert: Mutator = (bytes, random) => {
  const at = below(random, bytes.length + 1);
  const fill = random();
  const length = below(random, chunkMax);
  const chunk = new Uint8Array(length).map(() => (fill & 1 ? random() : fill >>> 8));
  return joined([bytes.subarray(0, at), chunk, bytes.subarray(at)]);
};

const repeat: Mutator = (bytes, random) => {
  const start = below(random, bytes.length + 1);
  const end = Math.min(bytes.length, start + below(random, chunkMax));
  return joined([bytes.subarray(0, end), bytes.subarray(start)]);
};

const overwrite: Mutator = (bytes, random) => {
  const copy = bytes.slice();
  const length = below(random, Math.min(chunkMax, copy.length) + 1);
  const from = below(random, copy.length - length + 1);
  copy.copyWithin(below(random, copy.length - length + 1), from, from + length);
  return copy;
};

/** The beginning of these, the end of others. */
const splice: Mutator = (bytes, random, others) => {
  if (others.length === 0) return bytes;
  const other = oneOf(random, others);
  const at = below(random, bytes.length + 1);
  return joined([bytes.subarray(0, at), other.subarray(below(random, other.length + 1))]);
};

export const byteMutators: readonly Mutator[] = [
  ...[flipBit, setNumber, setByte, truncate, cutOut, insert, repeat, overwrite, splice],
];

import { generate, headerSize, recordKind, recordKinds, type Random } from '@ckpt/format';
import { below, interesting, oneOf, once } from '../draw.ts';
import { joined, rawRecord, split, typeOf } from './records.ts';

/** Makes other records of some. */
type RecordMutator = (
  parts: readonly Uint8Array[],
  random: Random,
  others: readonly Uint8Array[],
) => readonly Uint8Array[];

const types = [...recordKinds(3), ...recordKinds(100)].map(({ type }) => type);

const someType = (random: Random): number =>
  once(random, 4) ? interesting(random) : oneOf(random, types);

/** The same list with another part in that place, or several, or none. */
function replaced(
  parts: readonly Uint8Array[],
  index: number,
  ...by: readonly Uint8Array[]
): readonly Uint8Array[] {
  return [...parts.slice(0, index), ...by, ...parts.slice(index + 1)];
}

/** Changes one record. */
function change(how: (part: Uint8Array, random: Random) => Uint8Array): RecordMutator {
  return (parts, random) => {
    const index = below(random, parts.length);
    const part = parts[index];
    return part === undefined ? parts : replaced(parts, index, how(part, random));
  };
}

const drop: RecordMutator = (parts, random) => replaced(parts, below(random, parts.length));

const duplicate: RecordMutator = (parts, random) => {
  const part = parts[below(random, parts.length)];
  const at = below(random, parts.length + 1);
  return part === undefined ? parts : [...parts.slice(0, at), part, ...parts.slice(at)];
};

const swap: RecordMutator = (parts, random) => {
  const [a, b] = [below(random, parts.length), below(random, parts.length)];
  const [one, two] = [parts[a], parts[b]];
  if (one === undefined || two === undefined) return parts;
  return parts.map((part, index) => (index === a ? two : index === b ? one : part));
};

const cutBehind: RecordMutator = (parts, random) => parts.slice(0, below(random, parts.length + 1));

/** A record of another image. */
const borrow: RecordMutator = (parts, random, others) => {
  const from = split(others.length === 0 ? joined(parts) : oneOf(random, others));
  const part = from[below(random, from.length)];
  const at = below(random, parts.length + 1);
  return part === undefined ? parts : [...parts.slice(0, at), part, ...parts.slice(at)];
};

const insertRecord: RecordMutator = (parts, random) => {
  const payload = Uint8Array.from({ length: below(random, 48) }, () => random());
  const record = rawRecord(someType(random), payload);
  const at = below(random, parts.length + 1);
  return [...parts.slice(0, at), record, ...parts.slice(at)];
};

/** An error record, its text inside, behind it, or nowhere. */
const insertError: RecordMutator = (parts, random) => {
  const text = new TextEncoder().encode('\0no space left').slice(0, below(random, 16));
  const form = below(random, 3);
  const records = [
    ...(form === 0 ? [rawRecord(9999, text)] : [rawRecord(9999, new Uint8Array(0))]),
    ...(form === 1 ? [rawRecord(4, text)] : []),
  ];
  const at = below(random, parts.length + 1);
  return [...parts.slice(0, at), ...records, ...parts.slice(at)];
};

const setHeader = (offset: 0 | 4) => (part: Uint8Array, random: Random) => {
  if (part.length < headerSize) return part;
  const copy = part.slice();
  const view = new DataView(copy.buffer);
  view.setUint32(offset, offset === 0 ? someType(random) : interesting(random, copy.length), true);
  return copy;
};

/** More or fewer bytes, of which the header knows. */
function resize(part: Uint8Array, random: Random): Uint8Array {
  if (part.length < headerSize) return part;
  const length = Math.max(headerSize, part.length + below(random, 24) - 12);
  const copy = new Uint8Array(length);
  copy.set(part.subarray(0, length));
  if (once(random, 2)) copy.fill(random(), Math.min(part.length, length));
  new DataView(copy.buffer).setUint32(4, length, true);
  return copy;
}

/** One field of a declared record, or of an ARRAY's head, gets another value. */
function setField(part: Uint8Array, random: Random): Uint8Array {
  const struct = recordKind(typeOf(part), once(random, 8) ? 3 : 100)?.record;
  if (struct === undefined || part.length < struct.size) return part;
  const copy = part.slice();
  const fields = struct.fields;
  const placed = fields[below(random, fields.length)];
  if (placed === undefined) return part;
  const fresh = struct.encode(generate(struct, random));
  const { offset, field } = placed;
  copy.set(fresh.subarray(offset, offset + field.size), offset);
  return copy;
}

const mutators: readonly RecordMutator[] = [
  ...[change(setField), change(setHeader(4)), change(setHeader(0)), drop, duplicate, swap],
  ...[insertRecord, borrow, change(resize), insertError, cutBehind, change(setField)],
];

/** One of these, by name of nothing: a mutation that knows of records. */
export const mutateRecords = (
  parts: readonly Uint8Array[],
  random: Random,
  others: readonly Uint8Array[],
): readonly Uint8Array[] => oneOf(random, mutators)(parts, random, others);

import { bytesAt, Defect, header, take, type Cursor, type Header } from './cursor.ts';
import { crc32c } from './crc32c.ts';

export interface Known {
  readonly offset: number;
  readonly size: number;
  readonly bits?: bigint;
  readonly values?: readonly bigint[];
}

/** What is known of a record number: given as plain numbers by whoever calls. */
export interface Shape {
  /** Bytes that are known; more must be zero. */
  readonly size: number;
  /** Offsets of four bytes that must be zero. */
  readonly zeros: readonly number[];
  /** Fields that hold certain bits, or one of certain values, and nothing else. */
  readonly known: readonly Known[];
  /** Offset of the number by which others refer to it. */
  readonly objref?: number;
}

/** Record numbers: undefined for bytes that belong to the record before. */
export type Shapes = ReadonlyMap<number, Shape | undefined>;

const FEATURES = 801;
const IDENTITY = 802;
const BUFFER = 3;
const ARRAY = 803;
const STORE = 805;
const META_END = 806;
/** What stands first, in this order: FEATURES IDENTITY HEADER_ARCH ARRAY BUFFER CONTAINER TREE ARRAY. */
const order = [FEATURES, IDENTITY, 5, ARRAY, BUFFER, 2, 102, ARRAY];

const metadataMax = 64 << 20;
const elementsMax = 1 << 20;
const pagesMax = 1n << 34n;
const pageSizes = [4096, 8192, 16384, 32768, 65536];

/** Checks that what is not known of a record is zero, and that what is reserved is. */
function checkShape(cursor: Cursor, one: Header, { size, zeros, known }: Shape): void {
  const bytes = bytesAt(cursor, one.start, one.start + one.length);
  for (const byte of bytes.subarray(size)) {
    if (byte !== 0) throw new Defect('E2BIG', one.start, 'unknown bytes');
  }
  for (const offset of zeros) {
    for (const byte of bytes.subarray(offset, offset + 4)) {
      if (byte !== 0) throw new Defect('E2BIG', one.start, 'reserved bytes');
    }
  }
  for (const { offset, size: length, bits = 0n, values } of known) {
    const value = number(cursor, one, offset, length);
    const isKnown = values === undefined ? (value & ~bits) === 0n : values.includes(value);
    if (!isKnown) throw new Defect('ENOSYS', one.start, 'a value that is not known');
  }
}

/** A number of a record that may end before it. */
function number(cursor: Cursor, one: Header, offset: number, size: number): bigint {
  let value = 0n;
  for (let index = size - 1; index >= 0; index--) {
    const at = offset + index;
    const byte = at < one.length ? cursor.view.getUint8(one.start + at) : 0;
    value = (value << 8n) | BigInt(byte);
  }
  return value;
}

function checkArray(cursor: Cursor, one: Header): void {
  if (one.length < 16) throw new Defect('EINVAL', one.start, 'a short array');
  const count = cursor.view.getUint32(one.start + 8, true);
  const size = cursor.view.getUint32(one.start + 12, true);
  if (size === 0) throw new Defect('EINVAL', one.start, 'elements of no bytes');
  if (16 + count * size !== one.length) throw new Defect('EINVAL', one.start, 'another count');
  if (count > elementsMax) throw new Defect('E2BIG', cursor.total, 'many elements');
}

function checkEnd(cursor: Cursor, one: Header, imageStart: number, shapes: Shapes): void {
  const shape = shapes.get(META_END);
  if (shape !== undefined) checkShape(cursor, one, shape);
  const end = cursor.total;
  const before = bytesAt(cursor, imageStart, one.start);
  if (number(cursor, one, 8, 8) !== BigInt(before.length)) {
    throw new Defect('EINVAL', end, 'length of the metadata');
  }
  if (number(cursor, one, 16, 4) !== 1n) throw new Defect('ENOSYS', end, 'algorithm');
  if (number(cursor, one, 20, 4) !== BigInt(crc32c(before))) {
    throw new Defect('EINVAL', end, 'checksum');
  }
}

/** Reads records up to META_END. */
function readRecords(cursor: Cursor, imageStart: number, shapes: Shapes): readonly Header[] {
  const records: Header[] = [];
  let place = 0;
  for (;;) {
    const start = cursor.total;
    const one = header(cursor);
    if (one.length > metadataMax - (start - imageStart)) {
      throw new Defect('EINVAL', cursor.total, 'a record longer than all metadata');
    }
    take(cursor, one.length - 8);
    const { type } = one;
    const here = (errno: string, what: string): Defect => new Defect(errno, cursor.total, what);
    const last = records.at(-1)?.type;
    if (type === META_END) {
      if (last !== STORE) throw here('EINVAL', 'META_END too early');
      checkEnd(cursor, one, imageStart, shapes);
      return records;
    }
    if (type >= 0x80000000 && !shapes.has(type)) continue;
    if (place < order.length) {
      if (type !== order[place]) throw here('EINVAL', 'out of order');
      place += 1;
    } else if (![ARRAY, BUFFER].includes(type) && order.includes(type))
      throw here('EINVAL', 'a second one');
    else if (last === STORE) throw here('EINVAL', 'behind STORE');
    if (!shapes.has(type)) throw here('ENOSYS', 'an unknown record');
    if (type === ARRAY) checkArray(cursor, one);
    if (shapes.get(type) !== undefined) records.push(one);
    if (type === FEATURES) {
      checkFeatures(cursor, one, shapes);
    }
  }
}

function checkFeatures(cursor: Cursor, one: Header, shapes: Shapes): void {
  const shape = shapes.get(FEATURES);
  if (shape !== undefined) checkShape(cursor, one, shape);
  if (number(cursor, one, 8, 8) !== 0n) throw new Defect('ENOSYS', cursor.total, 'features');
}

/** Checks records one by one, now that all are there. */
function checkObjects(cursor: Cursor, records: readonly Header[], shapes: Shapes): void {
  const objects = new Set<bigint>();
  for (const one of records) {
    const shape = shapes.get(one.type);
    if (shape === undefined) continue;
    checkShape(cursor, one, shape);
    if (shape.objref === undefined) continue;
    const objref = BigInt.asIntN(32, number(cursor, one, shape.objref, 4));
    if (objref < 1n) throw new Defect('EINVAL', one.start, 'objref');
    if (objects.has(objref)) throw new Defect('EINVAL', one.start, 'two of one objref');
    objects.add(objref);
  }
}

export interface Metadata {
  readonly pageSize: number;
  readonly pages: number;
}

/** Reads the metadata of revision 100, behind its opening. */
export function readMetadata(cursor: Cursor, imageStart: number, shapes: Shapes): Metadata {
  const records = readRecords(cursor, imageStart, shapes);
  checkObjects(cursor, records, shapes);
  const find = (type: number): Header => {
    const one = records.find((record) => record.type === type);
    if (one === undefined) throw new Defect('EINVAL', cursor.total, 'a record is missing');
    return one;
  };
  const store = find(STORE);
  const pages = number(cursor, store, 8, 8);
  if (pages > pagesMax) throw new Defect('E2BIG', store.start, 'many pages');
  const identity = find(IDENTITY);
  const pageSize = Number(number(cursor, identity, 56, 4));
  const bad = (errno: string): Defect => new Defect(errno, identity.start, 'identity');
  if (!pageSizes.includes(pageSize)) throw bad('EINVAL');
  if (number(cursor, identity, 60, 4) !== BigInt(pageSize)) throw bad('EINVAL');
  const parent = [number(cursor, identity, 24, 8), number(cursor, identity, 32, 8)];
  if (parent.some((part) => part !== 0n)) throw bad('ENOSYS');
  return { pageSize, pages: Number(pages) };
}

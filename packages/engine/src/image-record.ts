import { ArrayHeader, CkptError, errnoByName, type ErrnoName } from '@ckpt/format';
import type { RecordType, Struct } from '@ckpt/format';
import { headerSize } from './record-writer.ts';
import { checksOf } from './known-names.ts';
import { recordName } from './record-types.ts';
import type { ImageRecord } from './resource.ts';

/** A record as it was read: its value is made when somebody asks for it. */
export interface RawRecord {
  readonly type: number;
  /** Byte offset in the image. */
  readonly position: number;
  readonly bytes: Uint8Array;
  readonly following: readonly RawRecord[];
}

const isErrno = (name: string): name is ErrnoName => name in errnoByName;

/** An error at a record. */
export function recordError(
  { type, position }: Pick<RawRecord, 'type' | 'position'>,
  code: ErrnoName,
  sentence: string,
  field?: string,
): CkptError {
  return new CkptError(code, sentence, {
    position,
    path: [recordName(type)],
    type,
    ...(field === undefined ? {} : { field }),
  });
}

/** Decodes a struct; what is wrong with it is wrong with the record. */
function decodeIn<T>(record: RawRecord, struct: Struct<T>, bytes: Uint8Array): T {
  try {
    const value = struct.decode(bytes);
    for (const check of checksOf(struct)) check(value);
    return value;
  } catch (error) {
    if (!(error instanceof CkptError)) throw error;
    throw recordError(record, error.code, error.sentence, error.field);
  }
}

/** Count and element size of an ARRAY. @throws CkptError EINVAL when the record is not just as long. */
export function arrayShape(record: RawRecord): { readonly count: number; readonly size: number } {
  if (record.bytes.length < ArrayHeader.size) {
    throw recordError(record, 'EINVAL', `an ARRAY of ${record.bytes.length} bytes`, 'len');
  }
  const view = new DataView(record.bytes.buffer, record.bytes.byteOffset);
  const count = view.getUint32(headerSize, true);
  const size = view.getUint32(headerSize + 4, true);
  if (size === 0) throw recordError(record, 'EINVAL', 'elements of 0 bytes', 'element_size');
  if (ArrayHeader.size + count * size !== record.bytes.length) {
    const sentence = `${count} elements of ${size} bytes in ${record.bytes.length} bytes`;
    throw recordError(record, 'EINVAL', sentence, 'count');
  }
  return { count, size };
}

function elements<E>(record: RawRecord, element: Struct<E>): readonly E[] {
  const { count, size } = arrayShape(record);
  return Array.from({ length: count }, (_, index) => {
    const start = ArrayHeader.size + index * size;
    return decodeIn(record, element, record.bytes.subarray(start, start + size));
  });
}

/** What follows a record, of one type. @throws CkptError EINVAL when it is not there. */
function follower(record: RawRecord, type: number, nth: number): RawRecord {
  const found = record.following.filter((next) => next.type === type)[nth];
  if (found !== undefined) return found;
  const which = nth === 0 ? 'no' : `no ${nth + 1}th`;
  throw recordError(record, 'EINVAL', `${which} ${recordName(type)} follows`);
}

/** A class, not closures: an image may have ten thousands of records. */
class DecodedRecord<T> implements ImageRecord<T> {
  readonly type: number;
  readonly position: number;
  readonly bytes: Uint8Array;
  readonly value: T;
  readonly following: readonly ImageRecord[];
  readonly #raw: RawRecord;

  constructor(raw: RawRecord, value: T) {
    this.#raw = raw;
    this.type = raw.type;
    this.position = raw.position;
    this.bytes = raw.bytes;
    this.value = value;
    this.following = raw.following.length === 0 ? nothing : raw.following.map(plain);
  }

  invalid(field: string, sentence: string, errno = 'EINVAL'): CkptError {
    return recordError(this, isErrno(errno) ? errno : 'EINVAL', sentence, field);
  }

  bytesOf(type: number, nth = 0): Uint8Array {
    return follower(this.#raw, type, nth).bytes.subarray(headerSize);
  }

  arrayOf<E>(element: Struct<E>, nth = 0): readonly E[] {
    return elements(follower(this.#raw, ArrayHeader.type, nth), element);
  }
}

const nothing: readonly ImageRecord[] = [];

function plain(record: RawRecord): ImageRecord {
  return imageRecord(record, undefined);
}

/** The record with its value. @throws CkptError E2BIG for bytes that are not known. */
export function imageRecord<T>(record: RawRecord, type: RecordType<T>): ImageRecord<T>;
export function imageRecord(record: RawRecord, type: undefined): ImageRecord<undefined>;
export function imageRecord<T>(
  record: RawRecord,
  type: RecordType<T> | undefined,
): ImageRecord<T | undefined> {
  const value = type === undefined ? undefined : decodeIn(record, type, record.bytes);
  return new DecodedRecord(record, value);
}

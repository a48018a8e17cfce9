import {
  CHECKPOINT_VERSION,
  CKPT_HDR_HEADER,
  CKPT_HDR_TAIL,
  CkptError,
  describe,
  Header,
  recordKind,
  recordName,
  type Described,
  type RecordType,
  type Struct,
} from '@ckpt/format';
import { walkRecords, type CkptFile, type RecordHeader, type Stream } from '@ckpt/io';
import { arrayFields, elementsOf } from './array.ts';
import { Nesting } from './nesting.ts';
import { readSome } from './read-some.ts';
import { textOf, textMax } from './text-of.ts';

/** One record of an image, for people and programs. */
export interface Listed {
  readonly position: number;
  /** Bytes, the header's 8 included. */
  readonly length: number;
  readonly type: number;
  readonly name: string;
  /** 0; more when it belongs to a record before it. */
  readonly depth: number;
  readonly doc: string;
  readonly fields: readonly Described[];
  /** Elements of an ARRAY in their own fields, read while one goes through them. */
  readonly elements: Iterable<readonly Described[]>;
  /** What a payload says, escaped: its text, or its first bytes. */
  readonly text?: string;
}

const none: readonly never[] = [];

/** Bytes that are passed over at a time. */
const chunk = 1 << 16;

/** An image is walked record by record: how much of it is in memory does not depend on its size. */
export class Listing {
  /** Of the format, known after the first record. */
  revision = CHECKPOINT_VERSION;
  /** Whether TAIL was met. */
  whole = false;
  /** Whether there is more behind the TAIL: another image, or nobody knows what. */
  followed = false;
  readonly #stream: Stream;
  readonly #nesting = new Nesting();

  readonly #ends: boolean;

  /** @param ends The file has an end that can be looked for without waiting. */
  constructor(file: CkptFile, ends: boolean) {
    this.#stream = { file, total: 0 };
    this.#ends = ends;
  }

  /** Bytes of the image so far. */
  get length(): number {
    return this.#stream.total;
  }

  /**
   * Elements of a record must be taken before the next record is.
   * @throws CkptError at the first defect of the framing; EPIPE without a TAIL.
   */
  *records(): Generator<Listed, void, undefined> {
    for (const header of walkRecords(this.#stream)) {
      if (header.position === 0 && header.type !== CKPT_HDR_HEADER) {
        const why = `no checkpoint image: it begins with a record of type ${header.type}`;
        throw new CkptError('EINVAL', why, { position: 0, type: header.type });
      }
      yield this.#list(header);
      if (header.type !== CKPT_HDR_TAIL) continue;
      this.#finish(header);
      return;
    }
    throw this.#short('the image ends without a TAIL: it is not whole');
  }

  /** What there is of a TAIL beyond its fields, and whether anything follows. */
  #finish({ position, length }: RecordHeader): void {
    const end = position + length;
    while (this.#stream.total < end) {
      const bytes = this.#read(Math.min(end - this.#stream.total, chunk));
      if (bytes.length === 0) throw this.#short('the image ends inside of its TAIL');
    }
    this.whole = true;
    this.followed = this.#ends && readSome(this.#stream.file, 1).length > 0;
  }

  #short(sentence: string): CkptError {
    return new CkptError('EPIPE', sentence, { position: this.length, type: CKPT_HDR_TAIL });
  }

  #read(length: number): Uint8Array {
    const bytes = readSome(this.#stream.file, length);
    this.#stream.total += bytes.length;
    return bytes;
  }

  #list(header: RecordHeader): Listed {
    const { type, length, position } = header;
    const kind = recordKind(type, this.revision);
    const depth = this.#nesting.depthOf(type, kind?.record);
    const name = recordName(type, this.revision);
    const common = { position, length, type, name, depth, doc: kind?.doc ?? '', elements: none };
    const payload = length - 8;
    if (kind?.record === undefined) {
      const text = textOf(name, this.#read(Math.min(payload, textMax)), payload);
      return { ...common, fields: none, ...(text === '' ? {} : { text }) };
    }
    const { record } = kind;
    const bytes = this.#read(Math.min(payload, record.size - 8));
    const fields = fieldsOf(record, header, bytes);
    if (type === CKPT_HDR_HEADER && position === 0 && length >= Header.size) {
      this.revision = Number(fields.find((field) => field.name === 'rev')?.value);
    }
    const element = this.#nesting.elementOf(type);
    if (element === undefined) return { ...common, fields };
    const { count, size } = arrayFields(fields);
    const left = payload - bytes.length;
    const read = (want: number): Uint8Array => this.#read(want);
    return { ...common, fields, elements: elementsOf(element, { count, size, left, read }) };
  }
}

/** The fields that are there: a listing shows also what a reader would refuse. */
function fieldsOf(
  record: RecordType<unknown>,
  { type, length }: RecordHeader,
  payload: Uint8Array,
): readonly Described[] {
  const whole = new Uint8Array(record.size);
  const view = new DataView(whole.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, length, true);
  whole.set(payload, 8);
  const end = 8 + payload.length;
  const described = describe(record as Struct<object>, record.read(view, 0) as object);
  return described.filter(({ offset, size }) => offset + size <= end);
}

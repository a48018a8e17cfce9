import {
  ArrayHeader,
  CKPT_HDR_HEADER,
  CKPT_HDR_TAIL,
  CHECKPOINT_VERSION,
  describe,
  escapeBytes,
  Header,
  recordKind,
  recordName,
  type Described,
  type RecordType,
  type Struct,
} from '@ckpt/format';
import { walkRecords, type CkptFile, type RecordHeader, type Stream } from '@ckpt/io';

/** One record of an image, for people and programs. */
export interface Listed {
  readonly position: number;
  readonly length: number;
  readonly type: number;
  readonly name: string;
  /** Belongs to the record before it. */
  readonly follows: boolean;
  readonly fields: readonly Described[];
  /** Elements of an ARRAY, in its element's own fields. */
  readonly elements: readonly (readonly Described[])[];
  /** Text of a STRING or FILE_NAME, first bytes of a BUFFER. */
  readonly text?: string;
}

/** Payload that is shown; of more the first bytes. */
const shownMax = 1 << 20;
const textMax = 4096;

/** Names of payload records that hold text. */
const textual = new Set(['STRING', 'FILE_NAME', 'ERROR']);

function read(stream: Stream, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const count = stream.file.read(bytes.subarray(done));
    if (count === 0) break;
    done += count;
  }
  stream.total += done;
  return bytes.subarray(0, done);
}

/** An image is walked record by record: how much of it is in memory does not depend on its size. */
export class Listing {
  /** Revision, known after the first record. */
  revision = CHECKPOINT_VERSION;
  /** Whether TAIL was met. */
  whole = false;
  readonly #stream: Stream;
  #owner: RecordType<unknown> | undefined;
  #arrays = 0;

  constructor(file: CkptFile) {
    this.#stream = { file, total: 0 };
  }

  /** @throws CkptError at the first defect of the framing. */
  *records(): Generator<Listed, void, undefined> {
    for (const header of walkRecords(this.#stream)) {
      yield this.#list(header);
      if (header.type === CKPT_HDR_TAIL) {
        this.whole = true;
        return;
      }
    }
  }

  /** Bytes of the image so far. */
  get length(): number {
    return this.#stream.total;
  }

  #list({ type, length, position }: RecordHeader): Listed {
    const payload = read(this.#stream, Math.min(length - 8, shownMax));
    const bytes = new Uint8Array(8 + payload.length);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, type, true);
    view.setUint32(4, length, true);
    bytes.set(payload, 8);
    if (type === CKPT_HDR_HEADER && position === 0 && length >= Header.size) {
      this.revision = view.getUint16(24, true);
    }
    const kind = recordKind(type, this.revision);
    const record = kind?.record;
    const name = recordName(type, this.revision);
    const common = { position, length, type, name };
    if (record === ArrayHeader) return { ...common, ...this.#array(bytes) };
    if (record !== undefined) {
      this.#owner = record;
      this.#arrays = 0;
      return { ...common, follows: false, fields: fieldsOf(record, bytes), elements: [] };
    }
    return {
      ...common,
      follows: type < 8 || kind?.content === 'payload',
      fields: [],
      elements: [],
      ...shown(name, payload),
    };
  }

  #array(bytes: Uint8Array): Pick<Listed, 'follows' | 'fields' | 'elements'> {
    const fields = fieldsOf(ArrayHeader, bytes);
    const arrays = this.#owner?.follows.filter((follower) => follower.kind === 'array') ?? [];
    const element = arrays[this.#arrays++]?.element;
    const [count, size] = fields.map(({ value }) => Number(value));
    return { follows: true, fields, elements: elementsOf(element, bytes, count ?? 0, size ?? 0) };
  }
}

/** The fields that are there: a listing shows also what a reader would refuse. */
function fieldsOf(struct: Struct<unknown>, bytes: Uint8Array): readonly Described[] {
  const whole = new Uint8Array(struct.size);
  whole.set(bytes.subarray(0, struct.size));
  return describe(struct as Struct<object>, struct.read(new DataView(whole.buffer), 0) as object);
}

function elementsOf(
  element: Struct<unknown> | undefined,
  bytes: Uint8Array,
  count: number,
  size: number,
): readonly (readonly Described[])[] {
  if (element === undefined || size === 0) return [];
  const there = Math.floor((bytes.length - ArrayHeader.size) / size);
  return Array.from({ length: Math.min(count, Math.max(there, 0)) }, (_, index) => {
    const start = ArrayHeader.size + index * size;
    return fieldsOf(element, bytes.subarray(start, start + size));
  });
}

function shown(name: string, payload: Uint8Array): { text?: string } {
  if (textual.has(name)) {
    const end = payload.indexOf(0) <= 0 ? payload.length : payload.indexOf(0);
    return {
      text: `"${escapeBytes(payload.subarray(payload[0] === 0 ? 1 : 0, Math.min(end, textMax)))}"`,
    };
  }
  const zero = payload.every((byte) => byte === 0);
  if (payload.length === 0 || zero) return payload.length === 0 ? {} : { text: 'zeros' };
  const printable = payload.every((byte) => byte === 0 || (byte >= 32 && byte < 127));
  if (printable && payload.length <= 256)
    return { text: `"${escapeBytes(payload).replace(/(\\0)+$/, '')}"` };
  const some = Array.from(payload.subarray(0, 16), (byte) => byte.toString(16).padStart(2, '0'));
  return { text: `${some.join(' ')}${payload.length > 16 ? ' ...' : ''}` };
}

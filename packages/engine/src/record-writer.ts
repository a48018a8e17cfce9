import { ArrayHeader, CkptError, type RecordType, type Struct } from '@ckpt/format';
import type { Stream } from '@ckpt/io';

/** Bytes of the header before every payload. */
export const headerSize = 8;

/** A record around bytes that have no struct of their own. */
export function rawRecord(type: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(headerSize + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, bytes.length, true);
  bytes.set(payload, headerSize);
  return bytes;
}

/** ARRAY { count, element size } and the elements, in one record. */
export function arrayRecord<T>(element: Struct<T>, values: readonly T[]): Uint8Array {
  const head = ArrayHeader.encode({ count: values.length, element_size: element.size });
  const bytes = new Uint8Array(head.length + values.length * element.size);
  bytes.set(head);
  new DataView(bytes.buffer).setUint32(4, bytes.length, true);
  for (const [index, value] of values.entries()) {
    bytes.set(element.encode(value), head.length + index * element.size);
  }
  return bytes;
}

/** Bytes of records that are kept in one piece: ten thousands of small arrays cost more than they hold. */
const pieceSize = 1 << 18;

/** Metadata that is made before its first byte is written. */
export class RecordWriter {
  /** Whole records, one after the other; the last has room left. */
  readonly #pieces: Uint8Array[] = [];
  /** Bytes that are used of the last piece. */
  #used = 0;
  readonly #lengthMax: number;
  #length = 0;

  /** `lengthMax` in bytes: no reader takes more. */
  constructor(lengthMax = Infinity) {
    this.#lengthMax = lengthMax;
  }

  /** Bytes. */
  get length(): number {
    return this.#length;
  }

  /** All records, some at a time. */
  get pieces(): readonly Uint8Array[] {
    const last = this.#pieces.at(-1);
    return last === undefined ? [] : [...this.#pieces.slice(0, -1), last.subarray(0, this.#used)];
  }

  /** Each record by itself. */
  *records(): Generator<Uint8Array, void, undefined> {
    for (const piece of this.pieces) {
      const view = new DataView(piece.buffer, piece.byteOffset, piece.length);
      for (let at = 0; at < piece.length;) {
        const length = view.getUint32(at + 4, true);
        yield piece.subarray(at, at + length);
        at += length;
      }
    }
  }

  /** @throws CkptError E2BIG when the metadata grows beyond what readers take. */
  add(record: Uint8Array): void {
    this.#length += record.length;
    if (this.#length > this.#lengthMax) {
      throw new CkptError('E2BIG', `more than ${this.#lengthMax} bytes of metadata`);
    }
    const last = this.#pieces.at(-1);
    if (last === undefined || this.#used + record.length > last.length) {
      // What another writer made, and large records, are not copied once more.
      this.#trim();
      this.#pieces.push(record.length < pieceSize ? new Uint8Array(pieceSize) : record);
      this.#used = 0;
    }
    const piece = this.#pieces.at(-1);
    if (piece !== record) piece?.set(record, this.#used);
    this.#used += record.length;
  }

  #trim(): void {
    const last = this.#pieces.pop();
    if (last !== undefined) this.#pieces.push(last.subarray(0, this.#used));
  }

  emit<T>(type: RecordType<T>, value: T): void {
    this.add(type.encode(value));
  }

  /** Takes records from what writes to streams. */
  stream(): Stream {
    const write = (from: Uint8Array): number => {
      this.add(from.slice());
      return from.length;
    };
    return { file: { read: () => 0, write }, total: 0 };
  }

  /** All records in one piece. */
  bytes(): Uint8Array {
    const whole = new Uint8Array(this.#length);
    let at = 0;
    for (const piece of this.pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  }
}

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

/** Metadata that is made before its first byte is written. */
export class RecordWriter {
  readonly #records: Uint8Array[] = [];
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

  get records(): readonly Uint8Array[] {
    return this.#records;
  }

  /** @throws CkptError E2BIG when the metadata grows beyond what readers take. */
  add(record: Uint8Array): void {
    this.#length += record.length;
    if (this.#length > this.#lengthMax) {
      throw new CkptError('E2BIG', `more than ${this.#lengthMax} bytes of metadata`);
    }
    this.#records.push(record);
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
    for (const record of this.#records) {
      whole.set(record, at);
      at += record.length;
    }
    return whole;
  }
}

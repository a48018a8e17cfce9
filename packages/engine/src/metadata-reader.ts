import {
  ArrayHeader,
  checksums,
  CKPT_HDR_BUFFER,
  CKPT_HDR_SKIPPABLE,
  CkptError,
  Container,
  crc32c,
  Features,
  featuresKnown,
  HeaderArch,
  Identity,
  MetaEnd,
  Store,
  Tree,
  type ErrnoName,
} from '@ckpt/format';
import { ckptReadObj, type Stream } from '@ckpt/io';
import type { Opening } from './image-opening.ts';
import { arrayShape, imageRecord, recordError, type RawRecord } from './image-record.ts';
import { limits } from './limits.ts';
import { isPayload, recordName, type TypeTable } from './record-types.ts';

/** What stands between the opening and the records of the kinds, in this order. */
const order: readonly { readonly type: number }[] = [
  ...[Features, Identity, HeaderArch, ArrayHeader, { type: CKPT_HDR_BUFFER }],
  ...[Container, Tree, ArrayHeader],
];

/** Bytes of records that are kept together. */
const pieceSize = 1 << 17;

interface Growing extends RawRecord {
  readonly following: RawRecord[];
}

/** Reads records up to META_END, and checks what can be said of each as it comes. */
export class MetadataReader {
  readonly #stream: Stream;
  readonly #types: TypeTable;
  readonly #records: Growing[] = [];
  #checksum: number;
  #count = 0;
  /** Where small records are kept, and how much of it is used, bytes. */
  #piece = new Uint8Array(0);
  #used = 0;
  /** Records met, of {@link order}. */
  #place = 0;
  readonly #start: number;

  constructor(stream: Stream, opening: Opening, types: TypeTable) {
    this.#stream = stream;
    this.#types = types;
    this.#checksum = opening.records.reduce((crc, record) => crc32c(record, crc), 0);
    this.#start = stream.total - opening.records.reduce((sum, { length }) => sum + length, 0);
  }

  /** All records before META_END. */
  read(): readonly RawRecord[] {
    for (;;) {
      const record = this.#next();
      if (record.type === MetaEnd.type) {
        this.#end(record);
        return this.#records;
      }
      this.#checksum = crc32c(record.bytes, this.#checksum);
      this.#add(record);
    }
  }

  #next(): Growing {
    const position = this.#stream.total;
    const left = limits.metadata - (position - this.#start);
    if (left < 8) this.#tooMany(`${limits.metadata} bytes`);
    if (++this.#count > limits.records) this.#tooMany(`${limits.records} records`);
    const bytes = this.#kept(ckptReadObj(this.#stream, 0, left));
    const type = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
    return { type, position, bytes, following: [] };
  }

  /** Small records stand in one piece: ten thousands of small arrays cost more than they hold. */
  #kept(bytes: Uint8Array): Uint8Array {
    if (bytes.length > pieceSize / 8) return bytes;
    if (this.#used + bytes.length > this.#piece.length) {
      this.#piece = new Uint8Array(pieceSize);
      this.#used = 0;
    }
    const kept = this.#piece.subarray(this.#used, this.#used + bytes.length);
    kept.set(bytes);
    this.#used += bytes.length;
    return kept;
  }

  #tooMany(what: string): never {
    const options = { position: this.#stream.total };
    throw new CkptError('E2BIG', `metadata of more than ${what}`, options);
  }

  #add(record: Growing): void {
    const skippable = record.type >= CKPT_HDR_SKIPPABLE;
    if (skippable && !this.#types.has(record.type)) return;
    this.#checkOrder(record);
    if (!this.#types.has(record.type)) {
      const sentence = `${recordName(record.type)} is not supported: no kind of resource knows it`;
      throw this.#error(record, 'ENOSYS', sentence, 'type');
    }
    if (record.type === ArrayHeader.type) this.#checkArray(record);
    const owner = this.#records.at(-1);
    if (isPayload(record.type) && owner !== undefined) owner.following.push(record);
    else this.#records.push(record);
    if (record.type === Features.type) this.#checkFeatures(record);
  }

  #checkOrder(record: RawRecord): void {
    const due = order[this.#place];
    const first = order.findIndex(({ type }) => type === record.type);
    if (due !== undefined) {
      if (record.type !== due.type) {
        const sentence = `${recordName(record.type)} where ${recordName(due.type)} is due`;
        throw this.#error(record, 'EINVAL', sentence, 'type');
      }
      this.#place += 1;
    } else if (first >= 0 && !isPayload(record.type)) {
      throw this.#error(record, 'EINVAL', `a second ${recordName(record.type)}`, 'type');
    } else if (this.#records.at(-1)?.type === Store.type) {
      throw this.#error(record, 'EINVAL', `${recordName(record.type)} behind STORE`, 'type');
    }
  }

  #checkArray(record: RawRecord): void {
    const { count } = arrayShape(record);
    if (count <= limits.elements) return;
    throw this.#error(record, 'E2BIG', `${count} elements, at most ${limits.elements}`, 'count');
  }

  #checkFeatures(record: RawRecord): void {
    const { incompatible } = imageRecord(record, Features).value;
    const unknown = incompatible & ~featuresKnown;
    if (unknown === 0n) return;
    const sentence = `the image needs features 0x${unknown.toString(16)}, which are not known`;
    throw this.#error(record, 'ENOSYS', sentence, 'incompatible');
  }

  #end(record: RawRecord): void {
    if (this.#records.at(-1)?.type !== Store.type) {
      throw this.#error(record, 'EINVAL', 'META_END where STORE is due', 'type');
    }
    const { length, algorithm, checksum } = imageRecord(record, MetaEnd).value;
    const before = BigInt(record.position - this.#start);
    if (length !== before) {
      throw this.#error(record, 'EINVAL', `${length} bytes of metadata, not ${before}`, 'length');
    }
    if (algorithm !== checksums.crc32c) {
      throw this.#error(record, 'ENOSYS', `checksum algorithm ${algorithm}`, 'algorithm');
    }
    if (checksum !== this.#checksum) {
      const is = this.#checksum.toString(16);
      const sentence = `the metadata was changed: its checksum is 0x${is}, not 0x${checksum.toString(16)}`;
      throw this.#error(record, 'EINVAL', sentence, 'checksum');
    }
  }

  /** An error noticed now, behind the record that was just read. */
  #error(record: RawRecord, code: ErrnoName, sentence: string, field: string): CkptError {
    return recordError({ type: record.type, position: this.#stream.total }, code, sentence, field);
  }
}

import { CkptError, type RecordType } from '@ckpt/format';
import { imageRecord, type RawRecord } from './image-record.ts';
import { recordName, type TypeTable } from './record-types.ts';
import type { Document, ImageRecord } from './resource.ts';

/** A value that other records may name by its number. */
interface Numbered {
  readonly objref: number;
}

const isNumbered = (value: unknown): value is Numbered =>
  typeof value === 'object' &&
  value !== null &&
  'objref' in value &&
  typeof value.objref === 'number';

/** Records of an image's metadata, by type and by object number. */
export class ImageDocument implements Document {
  readonly #byType = new Map<number, RawRecord[]>();
  /** By position, of each type that was asked for. */
  readonly #read = new Map<RecordType<unknown>, ReadonlyMap<number, ImageRecord>>();
  /** Where every object is. */
  readonly #objects = new Map<number, RawRecord>();
  /** Where the metadata ends, bytes. */
  readonly #end: number;

  /**
   * @param types Structs of all records that may define objects.
   * @throws CkptError E2BIG for unknown bytes; EINVAL when two objects have one number, or one under 1.
   */
  constructor(records: readonly RawRecord[], types: TypeTable, end: number) {
    this.#end = end;
    for (const record of records) {
      const same = this.#byType.get(record.type);
      if (same === undefined) this.#byType.set(record.type, [record]);
      else same.push(record);
      const type = types.get(record.type);
      if (type !== undefined) this.#define(record, imageRecord(record, type));
    }
  }

  #define(raw: RawRecord, record: ImageRecord): void {
    if (!isNumbered(record.value)) return;
    const { objref } = record.value;
    if (objref < 1) throw record.invalid('objref', `objects are numbered from 1, not ${objref}`);
    const before = this.#objects.get(objref);
    if (before !== undefined) {
      const where = `${recordName(before.type)} at 0x${before.position.toString(16)}`;
      throw record.invalid('objref', `object ${objref} is already a ${where}`);
    }
    this.#objects.set(objref, raw);
  }

  all<T>(type: RecordType<T>): readonly ImageRecord<T>[] {
    return [...this.#of(type).values()];
  }

  #of<T>(type: RecordType<T>): ReadonlyMap<number, ImageRecord<T>> {
    const known = this.#read.get(type);
    // Only this method fills the map, with records of that very type.
    if (known !== undefined) return known as ReadonlyMap<number, ImageRecord<T>>;
    const raws = this.#byType.get(type.type) ?? [];
    const records = new Map(raws.map((raw) => [raw.position, imageRecord(raw, type)]));
    this.#read.set(type, records);
    return records;
  }

  one<T>(type: RecordType<T>): ImageRecord<T> {
    const [first, second] = this.all(type);
    if (first === undefined) {
      const options = { position: this.#end, path: [type.name], type: type.type };
      throw new CkptError('EINVAL', `the image has no ${type.name}`, options);
    }
    if (second !== undefined) throw second.invalid('type', `a second ${type.name}`);
    return first;
  }

  object<T>(objref: number, type: RecordType<T>, from: ImageRecord): ImageRecord<T> {
    const raw = this.#objects.get(objref);
    if (raw === undefined) throw from.invalid('objref', `there is no object ${objref}`);
    if (raw.type !== type.type) {
      const is = recordName(raw.type);
      throw from.invalid('objref', `object ${objref} is a ${is}, not a ${type.name}`);
    }
    const found = this.#of(type).get(raw.position);
    if (found === undefined) throw new Error(`object ${objref} is not among its own type`);
    return found;
  }
}

import type { Field } from './field.ts';
import { formatValue, hexBytes } from './show.ts';
import type { Struct } from './struct.ts';

/** A field and its value, for a reader. */
export interface Described {
  readonly name: string;
  /** From the start of the struct; of a record, from its header. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
  readonly type: Field<unknown>['type'];
  readonly value: unknown;
  /** The value in the field's own notation, one line, escaped. */
  readonly text: string;
  /** The value as JSON can hold it, see {@link jsonValue}. */
  readonly json: number | string;
  readonly doc: string;
  /** Padding, or room for later. */
  readonly reserved: boolean;
}

/**
 * Numbers of up to 32 bits as they are, 64-bit ones always as decimal strings (what BigInt and
 * Python's int take, and no reader rounds), bytes as hexadecimal digits.
 */
export function jsonValue(value: unknown): number | string {
  if (value instanceof Uint8Array) return hexBytes(value);
  if (typeof value === 'number') return value;
  return String(value);
}

/** Every field of a struct with its value, in the order of the bytes. */
export function describe<T>(struct: Struct<T>, value: T): readonly Described[] {
  const values = new Map<string, unknown>(Object.entries(value as object));
  return struct.fields.map(({ name, offset, field }) => {
    const one = values.get(name);
    return {
      name,
      offset,
      size: field.size,
      type: field.type,
      value: one,
      text: formatValue(field, one),
      json: jsonValue(one),
      doc: field.doc,
      reserved: name.startsWith('_'),
    };
  });
}

import { CkptError } from './error.ts';

/** How an inspector shows a field's value. */
export type Notation =
  | {
      readonly kind:
        | 'decimal'
        | 'hex'
        | 'octal'
        | 'size'
        | 'text'
        | 'bytes'
        | 'time'
        | 'signal'
        | 'signals'
        | 'address';
    }
  | { readonly kind: 'flags' | 'enum'; readonly names: Readonly<Record<string, number | bigint>> };

/** One field: its C type, what it means, how it is shown. */
export interface Field<T> {
  readonly type: 'u8' | 'u16' | 'u32' | 'i32' | 'u64' | 'i64' | 'bytes';
  /** Bytes. */
  readonly size: number;
  readonly align: number;
  readonly doc: string;
  readonly notation: Notation;
  get(view: DataView, offset: number): T;
  set(view: DataView, offset: number, value: T): void;
}

type Fields = Readonly<Record<string, Field<unknown>>>;
type ValueOf<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never;
};

export interface Placed {
  readonly name: string;
  /** From the start of the struct; of a record, from its header. */
  readonly offset: number;
  readonly field: Field<unknown>;
}

/** A fixed layout of bytes, little endian, padded as the C compiler on x86-64 does. */
export interface Struct<T> {
  readonly name: string;
  readonly doc: string;
  /** Bytes; of a record, with its 8-byte header. */
  readonly size: number;
  readonly fields: readonly Placed[];
  /** Type-checks a literal. */
  of(value: T): T;
  encode(value: T): Uint8Array;
  /**
   * Reads what `encode` wrote. A shorter struct has zeros for what is absent; a longer one is
   * taken if what is unknown is zero.
   * @throws CkptError E2BIG for unknown bytes that are not zero.
   */
  decode(bytes: Uint8Array): T;
}

/** A struct behind `struct ckpt_hdr { u32 type; u32 len }`. */
export interface RecordType<T> extends Struct<T> {
  /** Number in the header. */
  readonly type: number;
}

/** Type of the values of a struct. */
export type Infer<S> = S extends Struct<infer T> ? T : never;

const decimal: Notation = { kind: 'decimal' };

function number(
  type: Field<number>['type'],
  size: number,
  get: (view: DataView, offset: number) => number,
  set: (view: DataView, offset: number, value: number) => void,
) {
  return (doc: string, notation: Notation = decimal): Field<number> => ({
    type,
    size,
    align: size,
    doc,
    notation,
    get,
    set,
  });
}

export const u8 = number(
  'u8',
  1,
  (v, o) => v.getUint8(o),
  (v, o, x) => {
    v.setUint8(o, x);
  },
);
export const u16 = number(
  'u16',
  2,
  (v, o) => v.getUint16(o, true),
  (v, o, x) => {
    v.setUint16(o, x, true);
  },
);
export const u32 = number(
  'u32',
  4,
  (v, o) => v.getUint32(o, true),
  (v, o, x) => {
    v.setUint32(o, x, true);
  },
);
export const i32 = number(
  'i32',
  4,
  (v, o) => v.getInt32(o, true),
  (v, o, x) => {
    v.setInt32(o, x, true);
  },
);

function bigint(
  type: Field<bigint>['type'],
  get: (view: DataView, offset: number) => bigint,
  set: (view: DataView, offset: number, value: bigint) => void,
) {
  return (doc: string, notation: Notation = decimal): Field<bigint> => ({
    type,
    size: 8,
    align: 8,
    doc,
    notation,
    get,
    set,
  });
}

export const u64 = bigint(
  'u64',
  (v, o) => v.getBigUint64(o, true),
  (v, o, x) => {
    v.setBigUint64(o, x, true);
  },
);
export const i64 = bigint(
  'i64',
  (v, o) => v.getBigInt64(o, true),
  (v, o, x) => {
    v.setBigInt64(o, x, true);
  },
);

/** Exactly `size` bytes; a shorter value is padded with zeros, a longer one refused. */
export function bytes(
  size: number,
  doc: string,
  notation: Notation = { kind: 'bytes' },
): Field<Uint8Array> {
  return {
    type: 'bytes',
    size,
    align: 1,
    doc,
    notation,
    get: (view, offset) => new Uint8Array(view.buffer, view.byteOffset + offset, size).slice(),
    set: (view, offset, value) => {
      if (value.length > size)
        throw new CkptError('EINVAL', `${value.length} bytes do not fit ${size}`);
      new Uint8Array(view.buffer, view.byteOffset + offset, size).set(value);
    },
  };
}

export const hex: Notation = { kind: 'hex' };
export const octal: Notation = { kind: 'octal' };
export const byteSize: Notation = { kind: 'size' };
export const address: Notation = { kind: 'address' };
export const text: Notation = { kind: 'text' };
export const signal: Notation = { kind: 'signal' };
/** A set of signals, bit 0 is signal 1. */
export const signals: Notation = { kind: 'signals' };
/** Seconds since the epoch. */
export const time: Notation = { kind: 'time' };
export const flags = (names: Readonly<Record<string, number | bigint>>): Notation => ({
  kind: 'flags',
  names,
});
export const oneOf = (names: Readonly<Record<string, number | bigint>>): Notation => ({
  kind: 'enum',
  names,
});

const headerSize = 8;

function layout<F extends Fields>(
  name: string,
  doc: string,
  fields: F,
  start: number,
  type: number | undefined,
): Struct<ValueOf<F>> {
  let end = start;
  const placed: Placed[] = [];
  let align = type === undefined ? 1 : 8;
  for (const [key, field] of Object.entries(fields)) {
    const offset = Math.ceil(end / field.align) * field.align;
    placed.push({ name: key, offset, field });
    end = offset + field.size;
    align = Math.max(align, field.align);
  }
  const size = Math.ceil(end / align) * align;
  return {
    name,
    doc,
    size,
    fields: placed,
    of: (value) => value,
    encode(value) {
      const out = new Uint8Array(size);
      const view = new DataView(out.buffer);
      if (type !== undefined) {
        view.setUint32(0, type, true);
        view.setUint32(4, size, true);
      }
      for (const { name: key, offset, field } of placed)
        field.set(view, offset, value[key as keyof F]);
      return out;
    },
    decode(source) {
      let whole = source;
      if (source.length < size) {
        whole = new Uint8Array(size);
        whole.set(source);
      } else {
        const unknown = source.subarray(size).findIndex((byte) => byte !== 0);
        if (unknown >= 0)
          throw new CkptError(
            'E2BIG',
            `byte ${size + unknown} of ${name} is not zero and not known`,
          );
      }
      const view = new DataView(whole.buffer, whole.byteOffset, whole.length);
      return Object.fromEntries(
        placed.map(({ name: key, offset, field }) => [key, field.get(view, offset)]),
      ) as ValueOf<F>;
    },
  };
}

/** A struct without header: an element of an ARRAY, a part of something. */
export function struct<F extends Fields>(name: string, doc: string, fields: F): Struct<ValueOf<F>> {
  return layout(name, doc, fields, 0, undefined);
}

/** A record: the 8-byte header, then the fields. */
export function record<F extends Fields>(
  name: string,
  type: number,
  doc: string,
  fields: F,
): RecordType<ValueOf<F>> {
  return Object.assign(layout(name, doc, fields, headerSize, type), { type });
}

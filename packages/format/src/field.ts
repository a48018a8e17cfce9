import { decimal, type Notation } from './notation.ts';

/** One field: its C type, what it means, how it is shown. */
export interface Field<T> {
  readonly type: 'u8' | 'u16' | 'u32' | 'i32' | 'u64' | 'i64' | 'bytes';
  /** Bytes. */
  readonly size: number;
  readonly align: number;
  readonly doc: string;
  readonly notation: Notation;
  get(view: DataView, offset: number): T;
  /** Writes a value that was checked to fit. */
  set(view: DataView, offset: number, value: T): void;
}

function integer<T>(
  type: Field<T>['type'],
  size: number,
  get: Field<T>['get'],
  set: Field<T>['set'],
): (doc: string, notation?: Notation) => Field<T> {
  return (doc, notation = decimal) => ({ type, size, align: size, doc, notation, get, set });
}

export const u8 = integer<number>(
  'u8',
  1,
  (view, offset) => view.getUint8(offset),
  (view, offset, value) => {
    view.setUint8(offset, value);
  },
);

export const u16 = integer<number>(
  'u16',
  2,
  (view, offset) => view.getUint16(offset, true),
  (view, offset, value) => {
    view.setUint16(offset, value, true);
  },
);

export const u32 = integer<number>(
  'u32',
  4,
  (view, offset) => view.getUint32(offset, true),
  (view, offset, value) => {
    view.setUint32(offset, value, true);
  },
);

export const i32 = integer<number>(
  'i32',
  4,
  (view, offset) => view.getInt32(offset, true),
  (view, offset, value) => {
    view.setInt32(offset, value, true);
  },
);

export const u64 = integer<bigint>(
  'u64',
  8,
  (view, offset) => view.getBigUint64(offset, true),
  (view, offset, value) => {
    view.setBigUint64(offset, value, true);
  },
);

export const i64 = integer<bigint>(
  'i64',
  8,
  (view, offset) => view.getBigInt64(offset, true),
  (view, offset, value) => {
    view.setBigInt64(offset, value, true);
  },
);

/** Room for later, a u32 that is zero: encode and decode refuse anything else. */
export function reserved(doc = 'zero'): Field<number> {
  return u32(doc, { kind: 'reserved' });
}

/** Bytes of a view, copied. */
export function getBytes(view: DataView, offset: number, size: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + offset, size).slice();
}

/** Writes `value`, then zeros up to `size`. */
export function setBytes(view: DataView, offset: number, size: number, value: Uint8Array): void {
  new Uint8Array(view.buffer, view.byteOffset + offset, size).fill(0, value.length).set(value);
}

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
    get: (view, offset) => getBytes(view, offset, size),
    set: (view, offset, value) => {
      setBytes(view, offset, size, value);
    },
  };
}

const ranges = {
  u8: [0, 0xff],
  u16: [0, 0xffff],
  u32: [0, 0xffffffff],
  i32: [-0x80000000, 0x7fffffff],
  u64: [0n, 0xffffffffffffffffn],
  i64: [-0x8000000000000000n, 0x7fffffffffffffffn],
} as const;

/** What keeps a value out of a field, as a sentence; undefined when it fits. */
export function misfit(field: Field<unknown>, value: unknown): string | undefined {
  if (field.type === 'bytes') return bytesMisfit(field, value);
  const [least, most] = ranges[field.type];
  if (typeof value !== typeof least) {
    const wanted = typeof least === 'bigint' ? 'a bigint' : 'a number';
    return `${typeof value === 'bigint' ? `${String(value)}n` : String(value)} is not ${wanted}`;
  }
  const number = value as number | bigint;
  const whole = typeof number === 'bigint' || Number.isInteger(number);
  if (!whole || number < least || number > most) return `${String(number)} is no ${field.type}`;
  if (field.notation.kind === 'reserved' && Number(number) !== 0)
    return `${String(number)} is not zero`;
  return undefined;
}

function bytesMisfit({ size }: Field<unknown>, value: unknown): string | undefined {
  if (!(value instanceof Uint8Array)) return `${typeof value} is not a Uint8Array`;
  if (value.length > size) return `${value.length} bytes do not fit ${size}`;
  return undefined;
}

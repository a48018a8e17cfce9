import { makeCodec } from './codec.ts';
import type { Field } from './field.ts';
import type { Codec, Layout, Placed } from './layout.ts';

type Fields = Readonly<Record<string, Field<unknown>>>;
type ValueOf<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never;
};

/** A fixed layout of bytes, little endian, padded as the C compiler on x86-64 does. */
export interface Struct<T> extends Codec<T> {
  readonly name: string;
  readonly doc: string;
  /** Bytes; of a record, with its 8-byte header. */
  readonly size: number;
  readonly fields: readonly Placed[];
  /** Type-checks a literal. */
  of(value: T): T;
}

/** What comes right behind a record in the image and belongs to it. */
export type Follower =
  /** An ARRAY record: count, element size, and the elements. */
  | {
      readonly kind: 'array';
      readonly element: Struct<unknown>;
      readonly doc: string;
      readonly optional: boolean;
    }
  /** A record of bytes behind a bare header: BUFFER, STRING, FILE_NAME, CPU_FPU. */
  | {
      readonly kind: 'payload';
      readonly name: string;
      readonly doc: string;
      readonly optional: boolean;
    }
  /** A record of its own, or several. */
  | {
      readonly kind: 'record';
      readonly record: RecordType<unknown>;
      readonly doc: string;
      readonly optional: boolean;
    };

/** A struct behind `struct ckpt_hdr { u32 type; u32 len }`. */
export interface RecordType<T> extends Struct<T> {
  /** Number in the header. */
  readonly type: number;
  /** In the order of the image. */
  readonly follows: readonly Follower[];
}

/** Type of the values of a struct. */
export type Infer<S> = S extends Struct<infer T> ? T : never;

/** Bytes of `struct ckpt_hdr`. */
export const headerSize = 8;

function checkName(struct: string, name: string): void {
  // Names become properties of code that is made of strings.
  if (!/^[a-z_]\w*$/i.test(name) || name === '__proto__')
    throw new Error(`${struct}: a field cannot be called ${JSON.stringify(name)}`);
}

function place(name: string, fields: Fields, type: number | undefined): Layout {
  let end = type === undefined ? 0 : headerSize;
  let align = type === undefined ? 1 : 8;
  const placed: Placed[] = [];
  for (const [key, field] of Object.entries(fields)) {
    checkName(name, key);
    const offset = Math.ceil(end / field.align) * field.align;
    placed.push({ name: key, offset, field });
    end = offset + field.size;
    align = Math.max(align, field.align);
  }
  return { name, size: Math.ceil(end / align) * align, fields: placed, type };
}

/** The codec is made when it is first used: importing this package costs nothing. */
function lazily<T>(layout: Layout, doc: string): Struct<T> {
  const { name, size, fields } = layout;
  let codec: Codec<T> | undefined;
  const made = () => {
    codec ??= makeCodec<T>(layout);
    Object.assign(self, codec);
    return codec;
  };
  const self: Struct<T> = {
    name,
    doc,
    size,
    fields,
    of: (value) => value,
    encode: (value) => made().encode(value),
    decode: (bytes) => made().decode(bytes),
    write: (view, offset, value) => {
      made().write(view, offset, value);
    },
    read: (view, offset) => made().read(view, offset),
  };
  return self;
}

/** A struct without header: an element of an ARRAY, a part of something. */
export function struct<F extends Fields>(name: string, doc: string, fields: F): Struct<ValueOf<F>> {
  return lazily(place(name, fields, undefined), doc);
}

/** A record: the 8-byte header, then the fields; `follows` is what comes behind it. */
export function record<F extends Fields>(
  name: string,
  type: number,
  doc: string,
  fields: F,
  follows: readonly Follower[] = [],
): RecordType<ValueOf<F>> {
  const made = lazily<ValueOf<F>>(place(name, fields, type), doc);
  return Object.assign(made, { type, follows });
}

import { describe, type Described, type Struct } from '@ckpt/format';

/** What an ARRAY says of itself. */
export function arrayFields(fields: readonly Described[]): { count: number; size: number } {
  const valueOf = (name: string): number =>
    Number(fields.find((field) => field.name === name)?.value ?? 0);
  return { count: valueOf('count'), size: valueOf('element_size') };
}

interface Content {
  readonly count: number;
  /** Bytes of one element, as the image has it. */
  readonly size: number;
  /** Bytes that are there for all. */
  readonly left: number;
  readonly read: (length: number) => Uint8Array;
}

/** An element that claims to be longer is not believed. */
const elementMax = 4096;

/** Bytes that are read at a time. */
const chunkMax = 1 << 16;

/** Elements of an array in their own fields; of one shorter than ours, the fields that are there. */
export function* elementsOf(
  element: Struct<unknown>,
  { count, size, left, read }: Content,
): Generator<readonly Described[], void, undefined> {
  if (size === 0 || size > elementMax) return;
  const whole = Math.min(count, Math.floor(left / size));
  const perChunk = Math.floor(chunkMax / size);
  for (let done = 0; done < whole;) {
    const bytes = read(Math.min(perChunk, whole - done) * size);
    const there = Math.floor(bytes.length / size);
    for (let index = 0; index < there; index++) {
      yield fieldsOf(element, bytes.subarray(index * size, (index + 1) * size));
    }
    if (there === 0) return;
    done += there;
  }
}

function fieldsOf(struct: Struct<unknown>, bytes: Uint8Array): readonly Described[] {
  const room = new Uint8Array(Math.max(struct.size, bytes.length));
  room.set(bytes);
  const value = struct.read(new DataView(room.buffer), 0) as object;
  const described = describe(struct as Struct<object>, value);
  return described.filter(({ offset, size }) => offset + size <= bytes.length);
}

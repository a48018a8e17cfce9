import { CkptError } from './error.ts';
import { misfit, type Field } from './field.ts';

export interface Placed {
  readonly name: string;
  /** From the start of the struct; of a record, from its header. */
  readonly offset: number;
  readonly field: Field<unknown>;
}

/** Where each byte of a struct is. */
export interface Layout {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly fields: readonly Placed[];
  /** Number in the header of a record; undefined of a struct without header. */
  readonly type: number | undefined;
}

/** Bytes from values, and values from bytes. */
export interface Codec<T> {
  /** @throws CkptError EINVAL for a value out of its field's range, or not of its type. */
  encode(value: T): Uint8Array;
  /**
   * Reads what `encode` wrote. A shorter struct has zeros for what is absent; a longer one is
   * taken if what is unknown is zero.
   * @throws CkptError E2BIG for unknown or reserved bytes that are not zero.
   */
  decode(bytes: Uint8Array): T;
  /**
   * `encode` in place, `size` bytes from `offset` on. Nothing is written when it throws.
   * @throws CkptError EINVAL as `encode` does.
   * @throws RangeError where the view ends too early, as DataView does.
   */
  write(view: DataView, offset: number, value: T): void;
  /**
   * `decode` in place, of exactly `size` bytes.
   * @throws CkptError EPIPE where the view ends too early; E2BIG as `decode` does.
   */
  read(view: DataView, offset: number): T;
}

/** Bytes that no field covers, for instance 16-17 and 26-31: written as zeros. */
export function holes({ size, fields, type }: Layout): readonly number[] {
  const covered = new Set<number>(type === undefined ? [] : [0, 1, 2, 3, 4, 5, 6, 7]);
  for (const { offset, field } of fields)
    for (let index = 0; index < field.size; index++) covered.add(offset + index);
  return Array.from({ length: size }, (_, index) => index).filter((index) => !covered.has(index));
}

function located({ name, type }: Layout, field?: string) {
  const record = name.toLowerCase();
  return {
    path: field === undefined ? [record] : [record, field],
    ...(field === undefined ? {} : { field }),
    ...(type === undefined ? {} : { type }),
  };
}

/** Of several values at least one does not fit: says which. */
export function refuseValues(layout: Layout, values: readonly unknown[]): never {
  for (const [index, { name, field }] of layout.fields.entries()) {
    const why = misfit(field, values[index]);
    if (why !== undefined) throw new CkptError('EINVAL', why, located(layout, name));
  }
  throw new Error(`${layout.name} was refused without a reason`);
}

/** A reserved field that was read is not zero. */
export function refuseReserved(layout: Layout, field: string): never {
  throw new CkptError('E2BIG', `${field} is reserved and not zero`, located(layout, field));
}

/** Fills `into` with a struct of another length than its own. */
export function fit(layout: Layout, bytes: Uint8Array, into: Uint8Array): void {
  const unknown = bytes.subarray(layout.size).findIndex((byte) => byte !== 0);
  if (unknown >= 0) {
    const sentence = `byte ${layout.size + unknown} is not known and not zero`;
    throw new CkptError('E2BIG', sentence, located(layout));
  }
  into.fill(0).set(bytes.subarray(0, layout.size));
}

/** `size` bytes from `offset` on are not in the view. */
export function refuseView(layout: Layout, view: DataView, offset: number): never {
  const sentence = `${layout.size} bytes at ${offset} are not within ${view.byteLength}`;
  throw new CkptError('EPIPE', sentence, located(layout));
}

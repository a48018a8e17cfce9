type Names = Readonly<Record<string, number | bigint>>;

/** Names of bits, or of groups of bits, as a C header spells them without `prefix`. */
export interface FlagsNotation {
  readonly kind: 'flags';
  readonly names: Names;
  /** "PROT_": put before each name in print. */
  readonly prefix?: string;
  /** Printed when none of the bits in `mask` (default: all) is set: PROT_NONE, O_RDONLY. */
  readonly zero?: { readonly name: string; readonly mask?: number };
  /** Bits without a name may be set, and are the kernel's; elsewhere readers refuse them. */
  readonly others?: true;
}

export interface EnumNotation {
  readonly kind: 'enum';
  readonly names: Names;
  readonly prefix?: string;
  /** Values without a name are the matter of who reads them; elsewhere readers refuse them. */
  readonly others?: true;
}

/** How an inspector shows a field's value; `formatValue` does it. */
export type Notation =
  | {
      readonly kind:
        | 'decimal'
        | 'hex'
        | 'octal'
        /** Bytes, as KiB, MiB ... */
        | 'size'
        /** Escaped, NULs at the end left out. */
        | 'text'
        | 'bytes'
        /** Seconds since the epoch. */
        | 'time'
        /** Nanoseconds since the epoch. */
        | 'nanotime'
        | 'signal'
        /** A set of signals, bit 0 is signal 1. */
        | 'signals'
        /** A set of capabilities, bit 0 is CAP_CHOWN. */
        | 'capabilities'
        | 'address'
        /** dev_t, as major:minor. */
        | 'device'
        /** A resource limit; all ones is RLIM_INFINITY. */
        | 'limit'
        | 'uuid'
        /** Number of another object of the image, 0: none. */
        | 'objref'
        /** Zero, and nothing else: encode and decode refuse other values. */
        | 'reserved';
    }
  | { readonly kind: 'duration'; readonly unit: 'ns' | 'us' }
  | FlagsNotation
  | EnumNotation;

export const decimal: Notation = { kind: 'decimal' };
export const hex: Notation = { kind: 'hex' };
export const octal: Notation = { kind: 'octal' };
export const byteSize: Notation = { kind: 'size' };
export const address: Notation = { kind: 'address' };
export const text: Notation = { kind: 'text' };
export const signal: Notation = { kind: 'signal' };
export const signals: Notation = { kind: 'signals' };
export const capabilities: Notation = { kind: 'capabilities' };
export const time: Notation = { kind: 'time' };
export const nanotime: Notation = { kind: 'nanotime' };
export const nanoseconds: Notation = { kind: 'duration', unit: 'ns' };
export const microseconds: Notation = { kind: 'duration', unit: 'us' };
export const device: Notation = { kind: 'device' };
export const limit: Notation = { kind: 'limit' };
export const uuid: Notation = { kind: 'uuid' };
export const objref: Notation = { kind: 'objref' };

export const flags = (
  names: Names,
  how: Omit<FlagsNotation, 'kind' | 'names'> = {},
): FlagsNotation => ({ kind: 'flags', names, ...how });

export const oneOf = (
  names: Names,
  prefix = '',
  how: Pick<EnumNotation, 'others'> = {},
): EnumNotation => ({ kind: 'enum', names, prefix, ...how });

/** A yes or no. */
export const truth: Notation = oneOf({ no: 0, yes: 1 });

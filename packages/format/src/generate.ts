import { capabilityCount } from './capabilities.ts';
import type { Field } from './field.ts';
import { signalMax } from './signals.ts';
import type { Struct } from './struct.ts';

/** A source of numbers, each 0 .. 2^32 - 1. What draws only zeros makes the plainest value. */
export type Random = () => number;

export interface GenerateOptions {
  /** Names of enumerations and flags only, signals that exist, zeros where zero is due. */
  readonly valid?: boolean;
}

/** Numbers from a seed, the same on every machine: mulberry32. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

const wide = (random: Random) => (BigInt(random()) << 32n) | BigInt(random());

/** One of them; of an empty list undefined. */
function pick<T>(random: Random, list: readonly T[]): T | undefined {
  return list[random() % Math.max(1, list.length)];
}

/** Small numbers, edges of 8, 16, 32, 64 bits, page addresses, and any bits at all. */
function interesting(random: Random): bigint {
  const near = BigInt(random() % 3) - 1n;
  switch (random() % 6) {
    case 0:
      return BigInt(random() % 4);
    case 1:
      return (1n << BigInt(pick(random, [8, 15, 16, 31, 32, 47, 53, 63, 64]) ?? 0)) + near;
    case 2:
      return (1n << BigInt(random() % 64)) + near;
    case 3:
      return (wide(random) % (1n << 35n)) << 12n;
    case 4:
      return -1n - BigInt(random() % 600);
    default:
      return wide(random);
  }
}

/** Some of the bits that have a name. */
function someFlags(random: Random, values: readonly bigint[]): bigint {
  const chosen = wide(random);
  return values.reduce(
    (all, value, index) => ((chosen >> BigInt(index)) & 1n ? all | value : all),
    0n,
  );
}

/** A value that makes sense in the notation; undefined where any number does. */
function sensible(random: Random, { notation }: Field<unknown>): bigint | undefined {
  switch (notation.kind) {
    case 'reserved':
      return 0n;
    case 'enum':
      return BigInt(pick(random, Object.values(notation.names)) ?? 0);
    case 'flags':
      return someFlags(random, Object.values(notation.names).map(BigInt));
    case 'signal':
      return BigInt(random() % (signalMax + 1));
    case 'capabilities':
      return wide(random) & ((1n << BigInt(capabilityCount)) - 1n);
    case 'octal':
      return BigInt(random() & 0o177777);
    case 'objref':
      return BigInt(random() % 16);
    case 'size':
      return BigInt(random() % 1024) << BigInt(random() % 22);
    case 'time':
      return BigInt(random());
    case 'address':
      return BigInt(random() % 0x80000000) << 16n;
    default:
      return undefined;
  }
}

/** As large as a field can be, and as small: numbers beyond wrap around. */
function wrap({ type, size }: Field<unknown>, number: bigint): number | bigint {
  const bits = 8 * size;
  const fitting = type.startsWith('i') ? BigInt.asIntN(bits, number) : BigInt.asUintN(bits, number);
  return size === 8 ? fitting : Number(fitting);
}

const letters = 'abcdefghijklmnopqrstuvwxyz0123456789 _-./:';

function someBytes(random: Random, field: Field<unknown>, options: GenerateOptions): Uint8Array {
  const out = new Uint8Array(field.size);
  const length = random() % (field.size + 1);
  const asText = field.notation.kind === 'text' && (options.valid === true || random() % 4 < 3);
  if (field.notation.kind === 'text' && !asText) return out.map(() => random() & 0xff);
  if (asText) {
    // A NUL stays at the end.
    const count = Math.min(length, field.size - 1);
    for (let index = 0; index < count; index++)
      out[index] = letters.charCodeAt(random() % letters.length);
    return out;
  }
  return out.map(() => (length === 0 ? 0 : random() & 0xff));
}

function someValue(random: Random, field: Field<unknown>, options: GenerateOptions): unknown {
  if (field.type === 'bytes') return someBytes(random, field, options);
  const { kind } = field.notation;
  const wild = kind !== 'reserved' && options.valid !== true && random() % 8 === 7;
  const sense = wild ? undefined : sensible(random, field);
  return wrap(field, sense ?? interesting(random));
}

/**
 * A value of a struct for tests: mostly what its notation says, with edges of the type, and unless
 * `valid` now and then what no kernel says.
 */
export function generate<T>(struct: Struct<T>, random: Random, options: GenerateOptions = {}): T {
  return Object.fromEntries(
    struct.fields.map(({ name, field }) => [
      name,
      options.valid === true && name.startsWith('_')
        ? zeroOf(field)
        : someValue(random, field, options),
    ]),
  ) as T;
}

function zeroOf(field: Field<unknown>): unknown {
  return field.type === 'bytes' ? new Uint8Array(field.size) : wrap(field, 0n);
}

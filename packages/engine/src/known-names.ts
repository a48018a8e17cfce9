import { CkptError, type Struct } from '@ckpt/format';

type Field = Struct<unknown>['fields'][number];

/** @throws CkptError ENOSYS for a value whose field is of a writer that knows more. */
type Check = (value: unknown) => void;

const known = new WeakMap<object, readonly Check[]>();

/** The number in a field, of whatever width. */
const numberIn = (value: unknown, name: string): bigint =>
  BigInt((value as Readonly<Record<string, number | bigint>>)[name] ?? 0);

function unknown(name: string, sentence: string): never {
  throw new CkptError('ENOSYS', `${sentence}: a newer ckpt may know it`, { field: name });
}

/** What a field must be, if its names are all there are: see `others` of FlagsNotation. */
function checkOf({ name, field: { notation } }: Field): readonly Check[] {
  if (notation.kind === 'flags' && notation.others !== true) {
    const names = Object.values(notation.names);
    const all = names.reduce<bigint>((mask, bit) => mask | BigInt(bit), 0n);
    const check: Check = (value) => {
      const others = numberIn(value, name) & ~all;
      if (others !== 0n) unknown(name, `flag 0x${others.toString(16)} of ${name} is not known`);
    };
    return [check];
  }
  if (notation.kind === 'enum' && notation.others !== true) {
    const values = new Set(Object.values(notation.names).map(BigInt));
    const check: Check = (value) => {
      const number = numberIn(value, name);
      if (!values.has(number)) unknown(name, `${number} is no ${name} that is known`);
    };
    return [check];
  }
  return [];
}

/** Checks of the values of a struct that its codec does not make: flags and names that are known. */
export function checksOf(struct: Struct<unknown>): readonly Check[] {
  const found = known.get(struct);
  if (found !== undefined) return found;
  const checks = struct.fields.flatMap(checkOf);
  known.set(struct, checks);
  return checks;
}

import * as format from '../index.ts';
import type { RecordType, Struct } from '../struct.ts';

type Any = Readonly<Record<string, unknown>>;

interface Declared {
  /** Of the export. */
  readonly name: string;
  readonly struct: Struct<Any>;
}

function isStruct(value: unknown): value is Struct<Any> {
  return typeof value === 'object' && value !== null && 'encode' in value && 'fields' in value;
}

function isRecord(struct: Struct<Any>): struct is RecordType<Any> {
  return 'type' in struct;
}

/** Everything that is declared, under the name by which it is exported. */
export const structs: readonly Declared[] = Object.entries(format).flatMap(([name, struct]) =>
  isStruct(struct) ? [{ name, struct }] : [],
);

export const records = structs.flatMap(({ name, struct }) =>
  isRecord(struct) ? [{ name, record: struct }] : [],
);

/** Structs of revision 3, whose layout is given from outside. */
export const baseStructs: ReadonlySet<string> = new Set([
  ...['CkptHdr', 'CkptConst', 'Header', 'Container', 'Task', 'Tail', 'ErrorRecord'],
]);

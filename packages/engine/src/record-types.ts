import {
  ArrayHeader,
  CHECKPOINT_VERSION_PROCESS,
  Container,
  Features,
  HeaderArch,
  Identity,
  MetaEnd,
  recordKind,
  recordKinds,
  recordName as nameIn,
  Store,
  Tree,
  type RecordType,
} from '@ckpt/format';

/** A record as a kind of resource names it: with its struct, or by its number alone. */
export type ClaimedType = { readonly type: number } & Partial<RecordType<unknown>>;

/** Structs by record number; undefined for payload, which has none. */
export type TypeTable = ReadonlyMap<number, RecordType<unknown> | undefined>;

/** What the engine itself writes and reads in metadata. */
const ownTypes: readonly RecordType<unknown>[] = [
  ...[Features, Identity, HeaderArch, Container, Tree, Store, MetaEnd],
];

const revision = CHECKPOINT_VERSION_PROCESS;

/** "VMA", or "type 4711". */
export function recordName(type: number): string {
  return nameIn(type, revision);
}

/** True for a record that belongs to the one before it: ARRAY, BUFFER, STRING, CPU_FPU ... */
export function isPayload(type: number): boolean {
  return type === ArrayHeader.type || recordKind(type, revision)?.content === 'payload';
}

const isStruct = (claim: ClaimedType): claim is RecordType<unknown> => claim.decode !== undefined;

/** What a reader takes: the engine's own records, payload, and what kinds claim; else all known. */
export function typeTable(claims?: readonly ClaimedType[]): TypeTable {
  const table = new Map<number, RecordType<unknown> | undefined>();
  for (const { type, content, record } of recordKinds(revision)) {
    if (isPayload(type)) table.set(type, undefined);
    else if (claims === undefined && content === 'fields') table.set(type, record);
  }
  for (const type of ownTypes) table.set(type.type, type);
  for (const claim of claims ?? []) {
    if (isPayload(claim.type)) continue;
    table.set(claim.type, isStruct(claim) ? claim : recordKind(claim.type, revision)?.record);
  }
  return table;
}

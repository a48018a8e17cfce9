import { recordKinds, type RecordKind } from '../catalogue.ts';
import { structs } from './structs.ts';
import { truth, type EnumNotation, type FlagsNotation } from '../notation.ts';
import type { Follower, RecordType, Struct } from '../struct.ts';

type AnyStruct = Pick<Struct<unknown>, 'name' | 'doc' | 'size' | 'fields'>;

/** Text of a table's cell. */
const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** "PROT_READ 1, PROT_WRITE 2". */
function names({ kind, names, prefix = '' }: EnumNotation | FlagsNotation): string {
  const shown = (value: number | bigint) =>
    kind === 'enum' ? String(value) : `0x${value.toString(16)}`;
  return Object.entries(names)
    .map(([name, value]) => `${prefix}${name} ${shown(value)}`)
    .join(', ');
}

/** Names of the values of a struct's fields, field by field. */
function valueList({ fields }: AnyStruct): readonly string[] {
  const lines = fields.flatMap(({ name, field: { notation } }) => {
    if (notation.kind !== 'enum' && notation.kind !== 'flags') return [];
    const list = names(notation);
    return list === '' || notation === truth ? [] : [`- \`${name}\`: ${list}`];
  });
  return lines.length === 0 ? [] : [lines.join('\n')];
}

/** Records in which bytes follow the fields. */
const open = new Set(['ARRAY', 'PAGES']);

function fieldTable({ name, fields, size }: AnyStruct, isRecord: boolean): string {
  const length = `bytes of the record: ${size}${open.has(name) ? ', and those that follow in it' : ''}`;
  const header = [
    ['0', '4', 'u32', '`type`', 'number of the record'],
    ['4', '4', 'u32', '`len`', length],
  ];
  const rows = fields.map(({ name: field, offset, field: { size: bytes, type, doc } }) => [
    String(offset),
    String(bytes),
    type,
    `\`${field}\``,
    doc,
  ]);
  const head = ['offset', 'size', 'type', 'field', 'meaning'];
  return table(head, isRecord ? [...header, ...rows] : rows);
}

function followerLine(follower: Follower): string {
  const may = follower.optional ? ' (or nothing)' : '';
  switch (follower.kind) {
    case 'array':
      return `ARRAY of [${follower.element.name}](#${anchor(follower.element.name)})${may}: ${follower.doc}`;
    case 'payload':
      return `${follower.name}${may}: ${follower.doc}`;
    case 'record':
      return `${follower.record.name}${may}: ${follower.doc}`;
  }
}

const anchor = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w\s-]/g, '')
    .replaceAll(' ', '-');

function recordSection(record: RecordType<unknown>, revision: number): string {
  const follows =
    record.follows.length === 0
      ? []
      : [
          'Followed by',
          record.follows.map((one, at) => `${at + 1}. ${followerLine(one)}`).join('\n'),
        ];
  return [
    `### ${record.name} ${record.type}, revision ${revision}`,
    `${record.doc} ${record.size} bytes.`,
    fieldTable(record, true),
    ...valueList(record),
    ...follows,
  ].join('\n\n');
}

function structSection(struct: AnyStruct): string {
  return [
    `### ${struct.name}`,
    `${struct.doc} ${struct.size} bytes.`,
    fieldTable(struct, false),
    ...valueList(struct),
  ].join('\n\n');
}

function numberTable(revision: number): string {
  const kinds = recordKinds(revision).filter(({ content }) => content !== 'foreign');
  return table(
    ['number', 'name', 'content', 'bytes', ''],
    kinds.map(({ type, name, content, record, doc }) => [
      String(type),
      name,
      content,
      record === undefined ? '' : String(record.size),
      doc,
    ]),
  );
}

const withFields = (kinds: readonly RecordKind[]) =>
  kinds.flatMap(({ record }) => (record === undefined ? [] : [record]));

const introduction = `# The image, record by record

Made from the declarations in [src/records](src/records) by the tests of this package; after a
change: \`UPDATE=1 npx vitest run --project unit packages/format\`. Why things are as they are is in
[ARCHITECTURE.md](../../ARCHITECTURE.md).

All numbers are little endian, offsets count from the first byte of the record's header, what no field
covers is zero. Records follow each other without padding.

Content of a number: \`fields\` has the layout below, \`payload\` is raw bytes behind the header,
\`reserved\` has no layout yet. In revision 100, bit 31 of a number says that the record may be skipped
by who does not know it; a record may grow at its end: what a shorter one lacks is zero, and what a
longer one has beyond the known is refused unless it is zero.`;

/** The reference page of the format. */
export function referencePage(): string {
  const base = withFields(recordKinds(3));
  const process = withFields(recordKinds(100)).filter((record) => !base.includes(record));
  const parts = structs.filter(({ struct }) => !('type' in struct)).map(({ struct }) => struct);
  return [
    introduction,
    '## Numbers of revision 3',
    numberTable(3),
    '## Numbers of revision 100',
    numberTable(100),
    '## Records of revision 3',
    'HEADER, CONTAINER, TAIL and ERROR are the same in revision 100.',
    ...base.map((record) => recordSection(record, 3)),
    '## Records of revision 100',
    ...process.map((record) => recordSection(record, 100)),
    '## Structs within records',
    ...parts.map(structSection),
    '## Numbers of later Linux-CR',
    'Of revision 6, for messages about such an image; its layouts are not read.',
    recordKinds(6)
      .map(({ type, name }) => `${type} ${name}`)
      .join(', '),
    '',
  ].join('\n\n');
}

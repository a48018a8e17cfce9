import { limits } from '@ckpt/engine';
import { parseFacts } from '@ckpt/engine/model';
import {
  ArrayHeader,
  FileTable,
  Mm,
  PageMap,
  recordKind,
  seeded,
  Store,
  Thread,
  Tree,
  Vma,
  type Struct,
} from '@ckpt/format';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { generateFacts } from '../generate-facts.ts';
import { ChangedImage, type Part } from '../testing/changed-image.ts';
import { thrown } from '../testing/fake-scope.ts';

const path = new URL('../testing/facts/settings.facts', import.meta.url);
const recorded = new ChangedImage(parseFacts(readFileSync(path, 'utf8')));

/** An ARRAY that says one thing, and is as long as another. */
function arrayOf(count: number, elementSize: number, length = count * elementSize): Part {
  const bytes = new Uint8Array(ArrayHeader.size + length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, ArrayHeader.type, true);
  view.setUint32(4, bytes.length, true);
  view.setUint32(8, count, true);
  view.setUint32(12, elementSize, true);
  return { type: ArrayHeader.type, bytes };
}

/** The image with another ARRAY behind the first record of that type. */
function withArray(type: number, array: Part): readonly Part[] {
  const { index } = recorded.find(type);
  const at = recorded.parts.findIndex((part, i) => i > index && part.type === ArrayHeader.type);
  return recorded.parts.map((part, i) => (i === at ? array : part));
}

/** The image with a number of the first record of that type changed. */
function withNumber(type: { readonly type: number }, offset: number, value: bigint, size = 4) {
  return recorded.with(recorded.find(type.type).index, (view) => {
    if (size === 8) view.setBigUint64(offset, value, true);
    else view.setUint32(offset, Number(value), true);
  });
}

const offsetOf = ({ fields }: Pick<Struct<unknown>, 'fields'>, name: string): number =>
  fields.find((field) => field.name === name)?.offset ?? 0;

/** The first record of a type, many times. */
function many(type: number, count: number): readonly Part[] {
  const { index } = recorded.find(type);
  const part = recorded.parts[index];
  if (part === undefined) throw new Error('no record');
  const copies = Array.from({ length: count }, () => part);
  return [...recorded.parts.slice(0, index), ...copies, ...recorded.parts.slice(index)];
}

const all32 = 0xffff_ffffn;

type Case = readonly [what: string, parts: () => readonly Part[], errno: string, field: string];

const cases: readonly Case[] = [
  ['tasks', () => withNumber(Tree, offsetOf(Tree, 'tasks'), all32), 'ENOSYS', 'tasks'],
  ['threads', () => withNumber(Tree, offsetOf(Tree, 'threads'), all32), 'E2BIG', 'threads'],
  ['mappings', () => withNumber(Mm, offsetOf(Mm, 'vmas'), all32), 'EINVAL', 'vmas'],
  ['pages', () => withNumber(Store, offsetOf(Store, 'pages'), ~0n, 8), 'E2BIG', 'pages'],
  ['descriptors', () => withNumber(FileTable, 12, all32), 'EINVAL', 'count'],
  [
    'descriptors of 0 bytes',
    () => withArray(FileTable.type, arrayOf(1e6, 0)),
    'EINVAL',
    'element_size',
  ],
  [
    'descriptors not there',
    () => withArray(FileTable.type, arrayOf(2 ** 32 - 1, 12, 24)),
    'EINVAL',
    'count',
  ],
  [
    'descriptors, too many',
    () => withArray(FileTable.type, arrayOf(limits.elements + 1, 1)),
    'E2BIG',
    'count',
  ],
  [
    'runs of pages, too many',
    () => withArray(PageMap.type, arrayOf(limits.elements + 1, 1)),
    'E2BIG',
    'count',
  ],
  [
    'threads of the tree, too many',
    () => withArray(Tree.type, arrayOf(limits.elements + 1, 1)),
    'E2BIG',
    'count',
  ],
  ['THREADs, too many', () => many(Thread.type, limits.threads + 1), 'E2BIG', 'type'],
  ['VMAs, too many', () => many(Vma.type, limits.mappings + 1), 'E2BIG', 'type'],
];

describe('an image with huge numbers', () => {
  test.for(cases)('of %s is refused', ([, parts, errno, field]) => {
    expect(thrown(() => recorded.plan(parts()))).toMatchObject({ code: errno, field });
  });

  test('is refused before room is made for them', () => {
    const claims = cases.slice(0, 7).map(([, parts]) => parts());
    const used = (): number => {
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return heapUsed + arrayBuffers;
    };
    for (const parts of claims) {
      const before = used();
      thrown(() => recorded.plan(parts));
      expect(used() - before).toBeLessThan(64 << 20);
    }
  });
});

interface Lie {
  readonly field: string;
  readonly offset: number;
  readonly size: number;
  readonly value: bigint;
  readonly errno: string;
}

/** What no writer of today puts into a struct that stands at `start` of its record. */
function lies({ fields }: Struct<unknown>, start: number): readonly Lie[] {
  return fields.flatMap(({ name, offset, field: { size, notation } }): Lie[] => {
    const at = { field: name, offset: start + offset, size };
    if (notation.kind === 'reserved') return [{ ...at, value: 4n, errno: 'E2BIG' }];
    if (notation.kind !== 'flags' && notation.kind !== 'enum') return [];
    if (notation.others === true) return [];
    const values = Object.values(notation.names).map(BigInt);
    if (notation.kind === 'enum') return [{ ...at, value: 77n, errno: 'ENOSYS' }];
    const known = values.reduce((sum, bit) => sum | bit, 0n);
    const bit = Array.from({ length: 8 * size }, (_, i) => 1n << BigInt(i)).find(
      (one) => (known & one) === 0n,
    );
    return bit === undefined ? [] : [{ ...at, value: bit, errno: 'ENOSYS' }];
  });
}

/** Structs of a record, with where they stand; those of an ARRAY are its owner's. */
function structsOf(parts: readonly Part[], index: number): readonly [Struct<unknown>, number][] {
  const part = parts[index];
  if (part === undefined) return [];
  if (part.type !== ArrayHeader.type) {
    const record = recordKind(part.type, 100)?.record;
    return record === undefined ? [] : [[record, 0]];
  }
  const owner = parts
    .slice(0, index)
    .findLast(({ type }) => recordKind(type, 100)?.record?.follows);
  const follows = recordKind(owner?.type ?? 0, 100)?.record?.follows ?? [];
  const element = follows.find(({ kind }) => kind === 'array');
  const isEmpty = part.bytes.length === ArrayHeader.size;
  return element?.kind !== 'array' || isEmpty ? [] : [[element.element, ArrayHeader.size]];
}

test('what a record has no name for is refused, wherever it is', () => {
  const told = new Set<string>();
  const images = [
    recorded,
    ...Array.from({ length: 30 }, (_, index) => index + 1).map(
      (seed) => new ChangedImage(generateFacts(seeded(seed))),
    ),
  ];
  for (const image of images) {
    for (const index of image.parts.keys()) {
      for (const [struct, start] of structsOf(image.parts, index)) {
        for (const { field, offset, size, value, errno } of lies(struct, start)) {
          const name = `${struct.name}.${field}`;
          if (told.has(name)) continue;
          told.add(name);
          const parts = image.with(index, (view) => {
            if (size === 8) view.setBigUint64(offset, value, true);
            else if (size === 4) view.setUint32(offset, Number(value), true);
            else view.setUint8(offset, Number(value));
          });
          const error = thrown(() => image.plan(parts));
          expect({ name, code: error.code, field: error.field }).toEqual({
            name,
            code: errno,
            field,
          });
        }
      }
    }
  }
  expect(told.size).toBeGreaterThan(40);
});

import { describe, recordKind, recordKinds, type Follower, type Struct } from '@ckpt/format';
import { MemoryFile, walkRecords, ckptKread, type Stream } from '@ckpt/io';
import { below } from '../draw.ts';
import { headerSize } from '@ckpt/format';
import type { Reader } from './reader.ts';

const elementOf = (follower: Follower): readonly Struct<unknown>[] =>
  follower.kind === 'array' ? [follower.element] : [];

/** All that is declared: records of both revisions, and elements of arrays. */
const structs: readonly Struct<unknown>[] = [3, 100].flatMap((revision) =>
  recordKinds(revision).flatMap(({ record }) =>
    record === undefined ? [] : [record, ...record.follows.flatMap(elementOf)],
  ),
);

/** Bytes of payload that an inspector looks at. */
const lookMax = 4096;

/** Shows each record as an inspector does. */
function inspect(stream: Stream): void {
  let revision = 3;
  for (const { type, length } of walkRecords(stream)) {
    const bytes = new Uint8Array(Math.min(length, lookMax));
    new DataView(bytes.buffer).setUint32(0, type, true);
    ckptKread(stream, bytes.subarray(headerSize));
    if (type === 1 && bytes[24] === 100) revision = 100;
    const record = recordKind(type, revision)?.record;
    if (record !== undefined) describe(record, record.decode(bytes));
  }
}

/** What makes values of bytes, and text of values. */
export const structReaders: readonly Reader[] = [
  {
    name: 'decode',
    takes: 'record',
    args: (random) => [below(random, structs.length)],
    read: (bytes, [index = 0]) => {
      const struct = structs[index % structs.length];
      if (struct !== undefined) describe(struct, struct.decode(bytes));
    },
  },
  {
    name: 'inspect',
    takes: 'image',
    read: (bytes) => {
      inspect({ file: new MemoryFile(bytes), total: 0 });
    },
  },
];

import { describe, expect, it } from 'vitest';
import { recordKind, recordKinds, recordName } from './catalogue.ts';
import * as format from './index.ts';
import { Task } from './records/base.ts';
import { ProcessTask } from './records/task.ts';
import { Mm, type RecordType } from './index.ts';
import { records, structs } from './testing/structs.ts';

const listed = (revision: number) =>
  recordKinds(revision).flatMap(({ record }) => (record === undefined ? [] : [record]));

/** Records and elements that are named as following a record. */
function following(record: RecordType<unknown>): readonly unknown[] {
  return record.follows.flatMap((follower) => {
    if (follower.kind === 'array') return [follower.element];
    return follower.kind === 'record' ? [follower.record] : [];
  });
}

describe('the catalogue', () => {
  it('lists every record that is declared', () => {
    const all = new Set<unknown>([...listed(3), ...listed(100)]);
    expect(records.filter(({ record }) => !all.has(record)).map(({ name }) => name)).toEqual([]);
  });

  it('names every struct without header as following a record', () => {
    const elements = new Set(listed(100).flatMap(following));
    const parts = structs.filter(({ struct }) => !('type' in struct) && !elements.has(struct));
    expect(parts.map(({ name }) => name)).toEqual(['CkptConst', 'CkptHdr']);
  });

  it('lists every number that has a name of its own', () => {
    const numbers = Object.entries(format).flatMap(([name, value]) =>
      name.startsWith('CKPT_HDR_') && typeof value === 'number' ? [{ name, value }] : [],
    );
    expect(numbers.length).toBeGreaterThan(10);
    for (const { name, value } of numbers) {
      if (name === 'CKPT_HDR_SKIPPABLE') continue;
      expect(`CKPT_HDR_${recordName(value, 100)}`).toBe(name);
    }
  });

  it('has only records behind a record that are records of the revision', () => {
    const names = new Set(recordKinds(100).map(({ name }) => name));
    const payloads = listed(100).flatMap(({ follows }) =>
      follows.flatMap((one) => (one.kind === 'payload' ? [one.name] : [])),
    );
    expect(payloads.filter((name) => !names.has(name))).toEqual([]);
    expect(following(Mm)).toHaveLength(1);
  });

  it('has ascending numbers and no name twice', () => {
    for (const revision of [3, 6, 100]) {
      const kinds = recordKinds(revision);
      expect(kinds.map(({ type }) => type)).toEqual(
        kinds.map(({ type }) => type).toSorted((a, b) => a - b),
      );
      expect(new Set(kinds.map(({ name }) => name)).size).toBe(kinds.length);
    }
  });

  it('is the base alone in revision 3', () => {
    expect(recordKinds(3).map(({ type, name }) => `${type} ${name}`)).toEqual([
      '1 HEADER',
      '2 CONTAINER',
      '3 BUFFER',
      '4 STRING',
      '101 TASK',
      '9001 TAIL',
      '9999 ERROR',
    ]);
  });
});

describe('a record number', () => {
  it.each([
    [2, 3, 'CONTAINER'],
    [2, 6, 'HEADER_ARCH'],
    [5, 6, 'STRING'],
    [5, 100, 'HEADER_ARCH'],
    [101, 6, 'PIDS'],
    [101, 100, 'TASK'],
    [103, 100, 'PIDS'],
    [705, 100, 'SOCKET_UNIX'],
    [0x80000000 + 801, 100, 'FEATURES'],
    [705, 3, 'type 705'],
    [4711, 100, 'type 4711'],
    [1, 42, 'type 1'],
    [0xffffffff, 100, 'type 4294967295'],
  ])('%i of revision %i is %s', (type, revision, name) => {
    expect(recordName(type, revision)).toBe(name);
  });

  it('101 is another record in each revision', () => {
    expect(recordKind(101, 3)?.record).toBe(Task);
    expect(recordKind(101, 100)?.record).toBe(ProcessTask);
    expect(recordKind(101, 6)?.content).toBe('foreign');
    expect(recordKind(809, 100)?.content).toBe('reserved');
    expect(recordKind(4, 100)?.content).toBe('payload');
  });
});

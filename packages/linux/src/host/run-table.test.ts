import { CkptError } from '@ckpt/format';
import { expect, test } from 'vitest';
import { entryFlags, entryLayout, entryStatus } from './run-executor-code.ts';
import { decodeTable, encodeTable, type Entry, type Ground, type Table } from './run-table.ts';

const address = 0x1000_0000n;

function ground(length: number, more: Partial<Ground> = {}): Ground {
  return { address, length, rooms: new Map(), results: new Map(), ...more };
}

function entry(id: string, more: Partial<Entry> = {}): Entry {
  return { id, number: 39, args: [], goOn: false, ...more };
}

/** A 64-bit word of an entry. */
function word({ bytes }: Table, index: number, offset: number): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return view.getBigUint64(index * entryLayout.size + offset, true);
}

/** Bytes at an address in the new task. */
function at({ bytes }: Table, where: bigint, length: number): number[] {
  const offset = Number(where - address);
  return [...bytes.subarray(offset, offset + length)];
}

test('an entry has its number, its arguments and nothing else', () => {
  const table = encodeTable([entry('a', { number: 9, args: [1n, -1n] })], 0, ground(4096));
  expect(table.count).toBe(1);
  expect(word(table, 0, entryLayout.number)).toBe(9n);
  expect(word(table, 0, entryLayout.args)).toBe(1n);
  expect(word(table, 0, entryLayout.args + 8)).toBe(0xffff_ffff_ffff_ffffn);
  expect(word(table, 0, entryLayout.flags)).toBe(0n);
  expect(word(table, 0, entryLayout.status)).toBe(BigInt(entryStatus.notRun));
});

test('bytes, and bytes that they point to, stand behind the table', () => {
  const to = Uint8Array.of(7, 8, 9);
  const blob = { bytes: new Uint8Array(24).fill(1), pointers: [{ offset: 8, to }] };
  const table = encodeTable([entry('a', { args: [{ blob }] })], 0, ground(4096));
  const where = word(table, 0, entryLayout.args);
  expect(where % 16n).toBe(0n);
  expect(where).toBeGreaterThanOrEqual(address + BigInt(entryLayout.size));
  const bytes = Uint8Array.from(at(table, where, 24));
  const pointer = new DataView(bytes.buffer).getBigUint64(8, true);
  expect(at(table, pointer, 3)).toEqual([7, 8, 9]);
  expect([bytes[0], bytes[23]]).toEqual([1, 1]);
});

test('a result of the same table is where that entry will leave it', () => {
  const entries = [entry('a'), entry('b', { args: [5n, { result: 'a' }] })];
  const table = encodeTable(entries, 0, ground(4096));
  expect(word(table, 1, entryLayout.args + 8)).toBe(address + BigInt(entryLayout.result));
  expect(word(table, 1, entryLayout.flags)).toBe(BigInt(entryFlags.result << 1));
});

test('a result of an earlier table comes with this one, an error as well', () => {
  const results = new Map([['old', -2n]]);
  const use = entry('b', { args: [{ result: 'old' }] });
  const table = encodeTable([use], 0, ground(4096, { results }));
  const where = word(table, 0, entryLayout.args);
  expect(at(table, where, 8)).toEqual([0xfe, 255, 255, 255, 255, 255, 255, 255]);
  expect(word(table, 0, entryLayout.flags)).toBe(BigInt(entryFlags.result));
});

test('rooms, words of them and bytes expected there', () => {
  const rooms = new Map([['room', 0x2000n]]);
  const bytes = Uint8Array.of(1, 2, 3);
  const use = entry('a', {
    args: [{ room: 'room' }, { word: 'room', index: 3 }],
    expect: 4n,
    expectRoom: { room: 'room', offset: 5, bytes },
    goOn: true,
  });
  const table = encodeTable([use], 0, ground(4096, { rooms }));
  expect(word(table, 0, entryLayout.args)).toBe(0x2000n);
  expect(word(table, 0, entryLayout.args + 8)).toBe(0x200cn);
  expect(word(table, 0, entryLayout.room)).toBe(0x2005n);
  expect(at(table, word(table, 0, entryLayout.roomBytes), 3)).toEqual([1, 2, 3]);
  expect(word(table, 0, entryLayout.roomLength)).toBe(3n);
  const { word: asWord, goOn, expect: expected, expectRoom } = entryFlags;
  expect(word(table, 0, entryLayout.flags)).toBe(
    BigInt((asWord << 1) | goOn | expected | expectRoom),
  );
});

test('what does not fit is left for the next table', () => {
  const bytes = new Uint8Array(1000);
  const entries = Array.from({ length: 100 }, (_, i) =>
    entry(`${i}`, { args: [{ blob: { bytes, pointers: [] } }] }),
  );
  let done = 0;
  while (done < entries.length) {
    const table = encodeTable(entries, done, ground(16_384));
    expect(table.count).toBeGreaterThan(0);
    expect(table.bytes.length).toBeLessThanOrEqual(16_384);
    done += table.count;
  }
  expect(done).toBe(100);
});

test('a call that can never fit is refused', () => {
  const bytes = new Uint8Array(5000);
  const huge = entry('a', { args: [{ blob: { bytes, pointers: [] } }] });
  expect(() => encodeTable([huge], 0, ground(4096))).toThrow(CkptError);
  expect(() => encodeTable([huge], 0, ground(4096))).toThrow(/E2BIG/);
});

test('outcomes are read from where the executor leaves them', () => {
  const bytes = new Uint8Array(2 * entryLayout.size);
  const view = new DataView(bytes.buffer);
  view.setBigInt64(entryLayout.result, -2n, true);
  view.setUint32(entryLayout.status, entryStatus.failed, true);
  view.setBigInt64(entryLayout.size + entryLayout.result, 5n, true);
  view.setUint32(entryLayout.size + entryLayout.status, entryStatus.done, true);
  expect(decodeTable(bytes, 2)).toEqual([
    { status: entryStatus.failed, result: -2n },
    { status: entryStatus.done, result: 5n },
  ]);
});

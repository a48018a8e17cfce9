import { expect, test } from 'vitest';
import { ascending, freeRange } from './memory-hole.ts';

const range = (start: number, end: number) => ({ start: BigInt(start), end: BigInt(end) });

test('a hole is the lowest that is large enough', () => {
  const taken = [range(0x400000, 0x500000), range(0x600000, 0x700000)];
  expect(freeRange(taken, 0x100000n)).toEqual(range(0x10000, 0x110000));
  expect(freeRange([range(0x10000, 0x20000), ...taken], 0x3e0000n)).toEqual(
    range(0x20000, 0x400000),
  );
  expect(freeRange(taken, 0x400000n)).toEqual(range(0x700000, 0xb00000));
});

test('a hole is as long as there is room, up to what is wanted', () => {
  expect(freeRange([range(0x400000, 0x500000)], 0x1000n, 1n << 40n)).toEqual(
    range(0x10000, 0x400000),
  );
  expect(freeRange([], 0x1000n, 0x2000n)).toEqual(range(0x10000, 0x12000));
});

test('no hole is found above the place of stacks, nor in a full address space', () => {
  expect(freeRange([range(0, 0x7e00_0000_0000)], 1n << 44n)).toBeUndefined();
  expect(freeRange([range(0, 0x7fff_ffff_f000)], 0x1000n)).toBeUndefined();
});

test('ranges are put in order', () => {
  const parts = [range(3, 4), range(1, 2), range(2, 3)];
  expect(ascending(parts).map(({ start }) => start)).toEqual([1n, 2n, 3n]);
});

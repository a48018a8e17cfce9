import { expect, test } from 'vitest';
import { splitAtGuards } from './memory-guards.ts';

const run = (first: number, pages: number) => ({ address: BigInt(first * 4096), pages });

test.for([
  ['none', [run(1, 4)], [], [run(1, 4)], []],
  ['in the middle', [run(1, 8)], [run(3, 2)], [run(1, 2), run(5, 4)], [run(3, 2)]],
  ['two', [run(1, 8)], [run(1, 1), run(8, 4)], [run(2, 6)], [run(1, 1), run(8, 1)]],
  ['over all', [run(2, 2), run(6, 1)], [run(1, 9)], [], [run(2, 2), run(6, 1)]],
  ['where nothing is', [run(1, 2), run(9, 1)], [run(4, 2)], [run(1, 2), run(9, 1)], []],
] as const)('guards %s leave the rest open', ([, runs, guards, open, under]) => {
  expect(splitAtGuards(runs, guards, 4096)).toEqual({ open, under });
});

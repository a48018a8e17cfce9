/** Addresses [start, end). */
export interface Range {
  readonly start: bigint;
  readonly end: bigint;
}

/** vm.mmap_min_addr that distributions set; below it nobody may map. */
const lowest = 0x1_0000n;
/** A new program has its own stack and vdso above: the hole must be free there, too. */
const highest = 0x7f00_0000_0000n;
const fence: Range = { start: highest, end: highest };

/**
 * The lowest free range of at least `least` bytes, at most `most` long.
 * @param taken by ascending address, without overlap.
 * @returns undefined when there is none.
 */
export function freeRange(taken: readonly Range[], least: bigint, most = least): Range | undefined {
  let start = lowest;
  // Not a copy with the fence in it: many ask, and most find a place among the first few.
  for (let index = 0; index <= taken.length; index++) {
    const { start: next, end } = taken[index] ?? fence;
    const gap = (next < highest ? next : highest) - start;
    if (gap >= least) return { start, end: start + (gap < most ? gap : most) };
    if (end > start) start = end;
  }
  return undefined;
}

/** Ranges by ascending address. */
export function ascending<T extends Range>(ranges: readonly T[]): readonly T[] {
  return [...ranges].sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
}

/** Bytes that an executor needs at least, and more than it ever will. */
const holeMin = 16n << 20n;
const holeMax = 1n << 30n;

/** Where the executor lives while it restores; undefined when no such range is left. */
export function executorHole(taken: readonly Range[]): Range | undefined {
  return freeRange(ascending(taken), holeMin, holeMax);
}

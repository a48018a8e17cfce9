import type { CheckpointScope, FileExtents } from '@ckpt/engine';
import type { FileRun } from '@ckpt/format';

/** Bytes of a file: [start, end). */
export interface FileRange {
  readonly start: bigint;
  readonly end: bigint;
}

/** Where the content of a file is in the store, in the words of PATH. */
export interface StoredContent {
  readonly index: bigint;
  readonly pages: bigint;
  /** Empty where all is one run from the first byte. */
  readonly runs: readonly FileRun[];
  readonly seals: number | undefined;
  /** Bytes of its pages where it lies in hugetlbfs. */
  readonly hugePage: number | undefined;
}

/** Ranges in whole pages, ascending, those that touch joined. */
function wholePages(ranges: readonly FileRange[], size: bigint): readonly FileRange[] {
  const joined: { start: bigint; end: bigint }[] = [];
  for (const range of [...ranges].sort((a, b) => (a.start < b.start ? -1 : 1))) {
    const start = range.start - (range.start % size);
    const end = ((range.end + size - 1n) / size) * size;
    const last = joined.at(-1);
    if (last !== undefined && start <= last.end) last.end = end > last.end ? end : last.end;
    else joined.push({ start, end });
  }
  return joined;
}

/** What lies in both; both ascend. */
function overlap(a: readonly FileRange[], b: readonly FileRange[]): readonly FileRange[] {
  const both: FileRange[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    const [one, other] = [a[i], b[j]];
    if (one === undefined || other === undefined) break;
    const start = one.start > other.start ? one.start : other.start;
    const end = one.end < other.end ? one.end : other.end;
    if (start < end) both.push({ start, end });
    if (one.end < other.end) i++;
    else j++;
  }
  return both;
}

/** Bytes that are looked at, and stored or left out, together. */
const piece = 1n << 21n;

/** Where there is something else than zeros: hugetlbfs does not tell its holes. */
function notZero(scope: CheckpointScope, path: string, size: bigint): readonly FileRange[] {
  const { frozen, task } = scope;
  const ranges: FileRange[] = [];
  for (let start = 0n; start < size; start += piece) {
    const end = start + piece < size ? start + piece : size;
    const bytes = frozen.contents(task, path, start, Number(end - start));
    if (bytes.some((byte) => byte !== 0)) ranges.push({ start, end });
  }
  return ranges;
}

function extentsOf(scope: CheckpointScope, path: string): FileExtents {
  const nothing: FileExtents = { seals: undefined, data: undefined };
  return scope.frozen.extents?.(scope.task, path) ?? nothing;
}

/**
 * Puts the content of a file into the store, without its holes.
 * @param path under /proc/PID
 * @param parts what of it is wanted; all unless told
 */
export function storeContent(
  scope: CheckpointScope,
  path: string,
  size: bigint,
  parts?: readonly FileRange[],
): StoredContent {
  const { store, task } = scope;
  const pageSize = BigInt(scope.system.pageSize);
  const whole: FileRange = { start: 0n, end: size };
  const { seals, data, hugePage } = extentsOf(scope, path);
  const told = data?.map(({ offset, length }) => ({ start: offset, end: offset + length }));
  const isKnown = hugePage === undefined || told?.length === 0;
  const there = isKnown ? told : notZero(scope, path, size);
  const wanted = overlap(
    wholePages(there ?? [whole], pageSize),
    overlap(wholePages(parts ?? [whole], pageSize), wholePages([whole], pageSize)),
  );
  const runs = wanted.map(({ start, end }): FileRun => {
    const pages = (end - start) / pageSize;
    const bytes = Number((end < size ? end : size) - start);
    const source = { contents: path, task, offset: start, size: bytes };
    return { offset: start, pages, index: BigInt(store.add(source, Number(pages))) };
  });
  const pages = runs.reduce((sum, run) => sum + run.pages, 0n);
  const isOne = runs.length === 0 || (runs.length === 1 && runs[0]?.offset === 0n);
  return { index: runs[0]?.index ?? 0n, pages, runs: isOne ? [] : runs, seals, hugePage };
}

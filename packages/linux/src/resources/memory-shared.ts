import type { Answer, Call, CheckpointScope } from '@ckpt/engine';
import { Shm } from '@ckpt/format';
import type { Mapping } from '../procfs/smaps.ts';
import { keyOf, refuseOutsiders, type SharedObjects } from './memory-groups.ts';
import { describe } from './vma-file.ts';

/** Addresses of pages that hold something. */
export interface Pages {
  readonly address: bigint;
  readonly pages: number;
}

const endInObject = ({ start, end, offset }: Mapping): bigint => offset + end - start;

/**
 * Memory that several mappings share (MAP_SHARED without a file), emitted once.
 *
 * Image: {@link Shm}. What another process shares cannot be carried, and is refused where it shows.
 * @param objects of the task.
 * @returns its objref.
 */
export function checkpointShm(
  scope: CheckpointScope,
  mapping: Mapping,
  objects: SharedObjects,
): number {
  const { device, inode } = mapping;
  const key = keyOf(mapping);
  const { objref, isNew } = scope.objhash.of('shm', key);
  if (!isNew) return objref;
  const parts = objects.get(key) ?? [mapping];
  refuseOutsiders(scope, describe(mapping), mapping, objects);
  let size = 0n;
  for (const part of parts) size = endInObject(part) > size ? endInObject(part) : size;
  scope.emit(Shm, { objref, flags: 0, size, device, inode });
  return objref;
}

/** Pages that one mincore(2) is asked for: its answer takes a byte for each. */
const pagesPerCall = 1 << 18;

/** Runs of ones, as pages from an address on. */
function residentRuns(present: Uint8Array, address: bigint, pageSize: number): Pages[] {
  const runs: Pages[] = [];
  let first = -1;
  for (let index = 0; index <= present.length; index++) {
    const isThere = ((present[index] ?? 0) & 1) === 1;
    if (isThere && first < 0) first = index;
    if (isThere || first < 0) continue;
    runs.push({ address: address + BigInt(first * pageSize), pages: index - first });
    first = -1;
  }
  return runs;
}

const isInMemory = ({ swapped }: Mapping): boolean => swapped === 0n;

/** Calls that tell which pages of a mapping are resident. */
function residencyCalls({ start, end }: Mapping, pageSize: number): readonly Call[] {
  const total = Number((end - start) / BigInt(pageSize));
  const calls: Call[] = [];
  for (let page = 0; page < total; page += pagesPerCall) {
    const pages = Math.min(pagesPerCall, total - page);
    const address = start + BigInt(page * pageSize);
    calls.push({ call: 'mincore', args: [address, pages * pageSize, { out: pages }] });
  }
  return calls;
}

/** Pages that calls of {@link residencyCalls} told of; all of them where a call failed. */
function pagesOf(calls: readonly Call[], answers: readonly Answer[], pageSize: number): Pages[] {
  return calls.flatMap(({ args: [address = 0, length = 0] }, index) => {
    const at = BigInt(Number(address));
    const answer = answers[index];
    const [present] = answer?.out ?? [];
    if (answer?.result !== 0n || present === undefined) {
      return [{ address: at, pages: Number(length) / pageSize }];
    }
    return residentRuns(present, at, pageSize);
  });
}

/**
 * Pages that the objects behind mappings have, whether or not this task has touched them: its page
 * table does not tell, since fork(2) leaves the tables of shared memory behind. What is swapped out
 * is not resident: then all of it is read. The process is asked once for many mappings.
 */
function objectPages(
  { frozen, task, system: { pageSize } }: CheckpointScope,
  mappings: readonly Mapping[],
): ReadonlyMap<Mapping, readonly Pages[]> {
  const [leader] = task.threads;
  const found = new Map<Mapping, readonly Pages[]>();
  let waiting: { readonly mapping: Mapping; readonly calls: readonly Call[] }[] = [];
  let count = 0;
  const flush = (): void => {
    const all = waiting.flatMap(({ calls }) => calls);
    const answers = leader === undefined || count === 0 ? [] : frozen.ask(task, leader, all);
    let from = 0;
    for (const { mapping, calls } of waiting) {
      found.set(mapping, pagesOf(calls, answers.slice(from, from + calls.length), pageSize));
      from += calls.length;
    }
    waiting = [];
    count = 0;
  };
  for (const mapping of mappings) {
    const pages = Number((mapping.end - mapping.start) / BigInt(pageSize));
    if (!isInMemory(mapping)) {
      found.set(mapping, [{ address: mapping.start, pages }]);
      continue;
    }
    waiting.push({ mapping, calls: residencyCalls(mapping, pageSize) });
    count += pages;
    if (count >= pagesPerCall) flush();
  }
  flush();
  return found;
}

/** Takes away what another mapping of the same object has already given. */
function without(runs: readonly Pages[], mapping: Mapping, done: Set<bigint>, pageSize: number) {
  const left: Pages[] = [];
  for (const run of runs) {
    let first: bigint | undefined;
    for (let page = 0; page <= run.pages; page++) {
      const address = run.address + BigInt(page * pageSize);
      const offset = mapping.offset + address - mapping.start;
      const fresh = page < run.pages && !done.has(offset);
      if (fresh) done.add(offset);
      if (fresh && first === undefined) first = address;
      if (fresh || first === undefined) continue;
      left.push({ address: first, pages: Number((address - first) / BigInt(pageSize)) });
      first = undefined;
    }
  }
  return left;
}

/** Pages of shared mappings to be stored; those that another mapping has given are left out. */
export function sharedPages(
  scope: CheckpointScope,
  carried: readonly { readonly mapping: Mapping; readonly object: number }[],
): ReadonlyMap<Mapping, readonly Pages[]> {
  const views = new Map<number, number>();
  for (const { object } of carried) views.set(object, (views.get(object) ?? 0) + 1);
  const mappings = carried.map(({ mapping }) => mapping);
  const all = new Map(objectPages(scope, mappings));
  const given = new Map<number, Set<bigint>>();
  for (const { mapping, object } of carried) {
    if (views.get(object) === 1) continue;
    const done = given.get(object) ?? new Set<bigint>();
    given.set(object, done);
    all.set(mapping, without(all.get(mapping) ?? [], mapping, done, scope.system.pageSize));
  }
  return all;
}

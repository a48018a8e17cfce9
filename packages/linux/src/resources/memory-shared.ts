import type { Call, CheckpointScope } from '@ckpt/engine';
import { Shm } from '@ckpt/format';
import type { Mapping } from '../procfs/smaps.ts';
import { describe } from './vma-file.ts';

/** Addresses of pages that hold something. */
export interface Pages {
  readonly address: bigint;
  readonly pages: number;
}

const sameObject = (a: Mapping, b: Mapping): boolean =>
  a.inode === b.inode && a.device === b.device;

const endInObject = ({ start, end, offset }: Mapping): bigint => offset + end - start;

/**
 * Memory that several mappings share (MAP_SHARED without a file), emitted once.
 *
 * Image: {@link Shm}. What another process shares cannot be carried, and is refused where it shows.
 * @param all shared anonymous mappings of the task.
 * @returns its objref.
 */
export function checkpointShm(
  scope: CheckpointScope,
  mapping: Mapping,
  all: readonly Mapping[],
): number {
  const { device, inode } = mapping;
  const key = `${device.toString()}:${inode.toString()}`;
  const { objref, isNew } = scope.objhash.of('shm', key);
  if (!isNew) return objref;
  const parts = all.filter((other) => sameObject(other, mapping));
  if (parts.length === 1 && mapping.alsoElsewhere > 0n) {
    scope.refuse({
      thing: describe(mapping),
      reason: 'another process shares this memory',
      remedy: 'checkpoint when the other process has ended or has let go of it',
    });
  }
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

/**
 * Pages that the object behind a mapping has, whether or not this task has touched them. Its
 * page table does not tell: fork(2) leaves the tables of shared memory behind.
 */
function objectPages(scope: CheckpointScope, mapping: Mapping): readonly Pages[] {
  const { pageSize } = scope.system;
  const total = Number((mapping.end - mapping.start) / BigInt(pageSize));
  // What is swapped out is not resident: then all of it is read.
  if (mapping.swapped > 0n) return [{ address: mapping.start, pages: total }];
  const calls: Call[] = [];
  for (let page = 0; page < total; page += pagesPerCall) {
    const pages = Math.min(pagesPerCall, total - page);
    const address = mapping.start + BigInt(page * pageSize);
    calls.push({ call: 'mincore', args: [address, pages * pageSize, { out: pages }] });
  }
  const [leader] = scope.task.threads;
  const answers = leader === undefined ? [] : scope.frozen.ask(scope.task, leader, calls);
  return calls.flatMap((_, index) => {
    const address = mapping.start + BigInt(index * pagesPerCall * pageSize);
    const answer = answers[index];
    const pages = Math.min(pagesPerCall, total - index * pagesPerCall);
    const [present] = answer?.out ?? [];
    if (answer?.result !== 0n || present === undefined) return [{ address, pages }];
    return residentRuns(present, address, pageSize);
  });
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

/** Pages of a shared mapping to be stored; those that another mapping has given are left out. */
export class SharedPages {
  readonly #done = new Map<number, Set<bigint>>();

  of(scope: CheckpointScope, mapping: Mapping, objref: number, alone: boolean): readonly Pages[] {
    const runs = objectPages(scope, mapping);
    if (alone) return runs;
    const done = this.#done.get(objref) ?? new Set<bigint>();
    this.#done.set(objref, done);
    return without(runs, mapping, done, scope.system.pageSize);
  }
}

import type { Answer, Call, CheckpointScope } from '@ckpt/engine';
import type { Mapping } from '../procfs/smaps.ts';
import { refuseUnderGuards, splitAtGuards } from './memory-guards.ts';

/** Addresses of pages that hold something. */
export interface Pages {
  readonly address: bigint;
  readonly pages: number;
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

/**
 * Pages of shared mappings to be stored; those that another mapping has given are left out. What
 * lies under guard pages cannot be read, and is refused where no other mapping shows it.
 */
export function sharedPages(
  scope: CheckpointScope,
  carried: readonly { readonly mapping: Mapping; readonly object: number }[],
  guards: ReadonlyMap<Mapping, readonly Pages[]>,
): ReadonlyMap<Mapping, readonly Pages[]> {
  const views = new Map<number, number>();
  for (const { object } of carried) views.set(object, (views.get(object) ?? 0) + 1);
  const mappings = carried.map(({ mapping }) => mapping);
  const { pageSize } = scope.system;
  const all = new Map(objectPages(scope, mappings));
  const hidden = new Map<Mapping, readonly Pages[]>();
  for (const [mapping, pages] of guards) {
    const { open, under } = splitAtGuards(all.get(mapping) ?? [], pages, pageSize);
    if (under.length > 0) hidden.set(mapping, under);
    if (all.has(mapping)) all.set(mapping, open);
  }
  const given = new Map<number, Set<bigint>>();
  for (const { mapping, object } of carried) {
    if (views.get(object) === 1) continue;
    const done = given.get(object) ?? new Set<bigint>();
    given.set(object, done);
    all.set(mapping, without(all.get(mapping) ?? [], mapping, done, pageSize));
  }
  for (const { mapping, object } of carried) {
    const done = given.get(object) ?? new Set<bigint>();
    const lost = without(hidden.get(mapping) ?? [], mapping, done, pageSize);
    if (lost.length > 0) refuseUnderGuards(scope, mapping);
  }
  return all;
}

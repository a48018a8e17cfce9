import type { CheckpointScope } from '@ckpt/engine';
import { PageMap, PageRun, pageSources, vmaKinds } from '@ckpt/format';
import type { Mapping } from '../procfs/smaps.ts';
import { guardsOf, mayHaveGuards } from './memory-guards.ts';
import { sharedPages, type Pages } from './shm-pages.ts';
import type { CarriedVma } from './vma.ts';

/** Runs that one ARRAY holds. */
const runsPerArray = 1 << 16;

interface Run {
  readonly address: bigint;
  readonly pages: number;
  readonly guard: boolean;
}

/** Pages that belong to a private mapping alone: changed, and not those still in the file. */
function privateRuns(scope: CheckpointScope, { mapping }: CarriedVma): readonly Run[] {
  const guards = mayHaveGuards(scope, mapping);
  // Huge pages count apart.
  const untouched = mapping.own === 0n && !guards && !mapping.flags.has('ht');
  if (untouched) return [];
  return scope.frozen
    .pages(scope.task, mapping.start, mapping.end)
    .filter(({ source }) => source === 'store' || source === 'guard')
    .map(({ address, pages, source }) => ({ address, pages, guard: source === 'guard' }));
}

/** Guard pages of shared mappings, where there are any. */
function sharedGuards(
  scope: CheckpointScope,
  vmas: readonly CarriedVma[],
): ReadonlyMap<Mapping, readonly Pages[]> {
  const found = new Map<Mapping, readonly Pages[]>();
  for (const { mapping, vma } of vmas) {
    if (vma.kind !== vmaKinds.shared_anonymous && vma.kind !== vmaKinds.shared_file) continue;
    const guards = guardsOf(scope, mapping);
    if (guards.length > 0) found.set(mapping, guards);
  }
  return found;
}

const byAddress = (runs: readonly Run[]): readonly Run[] =>
  [...runs].sort((a, b) => (a.address < b.address ? -1 : 1));

const guardRuns = (pages: readonly Pages[]): readonly Run[] =>
  pages.map((run) => ({ ...run, guard: true }));

/** Runs of all mappings, by ascending address. */
function collect(scope: CheckpointScope, vmas: readonly CarriedVma[]): readonly Run[] {
  const guards = sharedGuards(scope, vmas);
  const shared = sharedPages(
    scope,
    vmas
      .filter(({ vma }) => vma.kind === vmaKinds.shared_anonymous)
      .map(({ mapping, vma }) => ({ mapping, object: vma.object })),
    guards,
  );
  return vmas.flatMap((carried) => {
    const { mapping, vma } = carried;
    switch (vma.kind) {
      case vmaKinds.anonymous:
      case vmaKinds.stack:
      case vmaKinds.file:
        // The kernel may drop these pages at any time: so may we.
        return mapping.flags.has('dp') ? [] : privateRuns(scope, carried);
      case vmaKinds.shared_anonymous:
        return byAddress([
          ...(shared.get(mapping) ?? []).map((run) => ({ ...run, guard: false })),
          ...guardRuns(guards.get(mapping) ?? []),
        ]);
      case vmaKinds.shared_file:
        return guardRuns(guards.get(mapping) ?? []);
      default:
        return [];
    }
  });
}

/** Joins runs that touch each other. */
function join(runs: readonly Run[], pageSize: number): readonly Run[] {
  const joined: Run[] = [];
  for (const run of runs) {
    const last = joined.at(-1);
    const end = (last?.address ?? 0n) + BigInt((last?.pages ?? 0) * pageSize);
    if (last?.guard === run.guard && end === run.address) {
      joined[joined.length - 1] = { ...last, pages: last.pages + run.pages };
    } else {
      joined.push(run);
    }
  }
  return joined;
}

/** Stores what the mappings hold. Image: {@link PageMap} and an ARRAY, as often as needed. */
export function checkpointPages(
  scope: CheckpointScope,
  mm: number,
  vmas: readonly CarriedVma[],
): void {
  const { store, task } = scope;
  const runs = join(collect(scope, vmas), scope.system.pageSize).map(
    ({ address, pages, guard }): PageRun => ({
      address,
      pages: BigInt(pages),
      index: guard ? 0n : BigInt(store.add({ memory: address, task }, pages)),
      source: guard ? pageSources.guard : pageSources.store,
      flags: 0,
    }),
  );
  for (let first = 0; first < runs.length || first === 0; first += runsPerArray) {
    scope.emit(PageMap, { mm, _pad: 0 });
    scope.emitArray(PageRun, runs.slice(first, first + runsPerArray));
  }
}

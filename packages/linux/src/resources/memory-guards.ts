import type { CheckpointScope } from '@ckpt/engine';
import type { Mapping } from '../procfs/smaps.ts';
import type { Pages } from './shm-pages.ts';
import { describe } from './vma-file.ts';

/** First kernels that have guard pages in anonymous memory and in files, and that mark mappings. */
const guardKernel = [6, 13] as const;
const fileGuardKernel = [6, 15] as const;
const markKernel = [6, 19] as const;

function isSince(scope: CheckpointScope, [major, minor]: readonly [number, number]): boolean {
  const [ours, sub] = scope.system.kernel;
  return ours > major || (ours === major && sub >= minor);
}

/** A reserve of many GiB must not cost a look at each of its pages. */
const isReserve = ({ permissions }: Mapping): boolean => permissions.startsWith('---');

/** True where a private mapping may have guard pages, which PAGEMAP_SCAN tells of. */
export function mayHaveGuards(scope: CheckpointScope, mapping: Mapping): boolean {
  if (mapping.flags.has('gu')) return true;
  return !isReserve(mapping) && isSince(scope, guardKernel);
}

/** Where no mark tells, what can only be read is not looked at: libraries map caches so. */
function mayBeUnmarked(scope: CheckpointScope, mapping: Mapping): boolean {
  const isUnmarked = isSince(scope, fileGuardKernel) && !isSince(scope, markKernel);
  return isUnmarked && !isReserve(mapping) && mapping.flags.has('mw');
}

/** Guard pages of a shared mapping, which lie over what is shared and belong to it alone. */
export function guardsOf(scope: CheckpointScope, mapping: Mapping): readonly Pages[] {
  if (!mapping.flags.has('gu') && !mayBeUnmarked(scope, mapping)) return [];
  return scope.frozen
    .pages(scope.task, mapping.start, mapping.end)
    .filter(({ source }) => source === 'guard')
    .map(({ address, pages }) => ({ address, pages }));
}

/** Pages that can be read, and those that guards lie over. All ascend. */
export function splitAtGuards(
  runs: readonly Pages[],
  guards: readonly Pages[],
  pageSize: number,
): { readonly open: readonly Pages[]; readonly under: readonly Pages[] } {
  if (guards.length === 0) return { open: runs, under: [] };
  const open: Pages[] = [];
  const under: Pages[] = [];
  const endOf = ({ address, pages }: Pages): bigint => address + BigInt(pages * pageSize);
  const add = (to: Pages[], start: bigint, end: bigint): void => {
    if (start < end) to.push({ address: start, pages: Number(end - start) / pageSize });
  };
  for (const run of runs) {
    const end = endOf(run);
    let at = run.address;
    for (const guard of guards) {
      const last = endOf(guard) < end ? endOf(guard) : end;
      if (last <= at || guard.address >= end) continue;
      add(open, at, guard.address);
      add(under, guard.address > at ? guard.address : at, last);
      at = last;
    }
    add(open, at, end);
  }
  return { open, under };
}

/** Refuses shared memory that only shows where its guard pages are taken away. */
export function refuseUnderGuards(scope: CheckpointScope, mapping: Mapping): void {
  scope.refuse({
    thing: describe(mapping),
    reason: 'guard pages (MADV_GUARD_INSTALL) lie over shared memory that is in use',
    remedy: 'take them away (MADV_GUARD_REMOVE) before the checkpoint',
  });
}

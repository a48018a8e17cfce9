import type { ImageRecord, RestoreScope } from '@ckpt/engine';
import { PageMap, PageRun, Store, pageSources, vmaKinds, type Vma } from '@ckpt/format';

/** linux/mman.h: reads and writes fault, and no VMA is spent on it. */
const MADV_GUARD_INSTALL = 102;

const end = (run: PageRun, pageSize: number): bigint => run.address + run.pages * BigInt(pageSize);

/** True where a mapping takes such a run: a file has its content, and may have guards over it. */
const takes = ({ kind }: Vma, { source }: PageRun): boolean =>
  kind !== vmaKinds.io_uring && (kind !== vmaKinds.shared_file || source === pageSources.guard);

/** Runs of the image, checked: inside of mappings that take them, ascending, in the store. */
export function checkedRuns(
  scope: RestoreScope,
  vmas: readonly ImageRecord<Vma>[],
): readonly (readonly [PageRun, ImageRecord<PageMap>])[] {
  const { pageSize } = scope.system;
  const stored = scope.document.one(Store).value.pages;
  let vma = 0;
  let done = 0n;
  return scope.document.all(PageMap).flatMap((record) =>
    record.arrayOf(PageRun).map((run) => {
      if (run.address % BigInt(pageSize) !== 0n || run.address < done || run.pages === 0n) {
        throw record.invalid('address', `a run of pages at ${run.address.toString(16)}`);
      }
      if (run.source === pageSources.store && run.index + run.pages > stored) {
        throw record.invalid('index', `page ${run.index.toString()} of ${stored.toString()}`);
      }
      if (run.source < pageSources.store || run.source > pageSources.guard) {
        throw record.invalid('source', `pages from source ${run.source}`);
      }
      if (run.source === pageSources.parent) {
        throw record.invalid('source', 'pages of another image', 'ENOSYS');
      }
      // Mappings that follow each other without a gap may share a run.
      let at = run.address;
      done = end(run, pageSize);
      while (at < done) {
        while ((vmas[vma]?.value.end ?? 0n) <= at && vma < vmas.length) vma++;
        const inside = vmas[vma]?.value;
        if (inside === undefined || inside.start > at || !takes(inside, run)) {
          throw record.invalid('address', `page ${at.toString(16)} is in no mapping`);
        }
        at = inside.end;
      }
      return [run, record] as const;
    }),
  );
}

type Runs = readonly (readonly [PageRun, ImageRecord<PageMap>])[];

/** Plans to fill memory from the store. */
export function loadPages(scope: RestoreScope, runs: Runs): void {
  const { pageSize } = scope.system;
  for (const [run, record] of runs) {
    if (run.source !== pageSources.store) continue;
    scope.step('load', {
      op: 'load',
      on: scope.pid,
      from: { position: record.position, path: 'memory' },
      to: { address: run.address },
      length: Number(run.pages) * pageSize,
      index: Number(run.index),
    });
  }
}

/** Plans guard pages; their mappings must be apart by then, because what has one stays marked. */
export function guardPages(scope: RestoreScope, runs: Runs): void {
  for (const [{ address, pages, source }, record] of runs) {
    if (source !== pageSources.guard) continue;
    const args = [address, pages * BigInt(scope.system.pageSize), MADV_GUARD_INSTALL];
    scope.call('protect', record, 'madvise', args, {
      what: `guard pages at ${address.toString(16)}`,
    });
  }
}

/** Mappings that pages of that source lie in. Runs ascend; `vmas` too. */
export function vmasWith(
  source: number,
  vmas: readonly ImageRecord<Vma>[],
  runs: readonly (readonly [PageRun, ImageRecord<PageMap>])[],
  pageSize: number,
): ReadonlySet<ImageRecord<Vma>> {
  const filled = new Set<ImageRecord<Vma>>();
  let vma = 0;
  for (const [run] of runs) {
    if (run.source !== source) continue;
    while (vma < vmas.length && (vmas[vma]?.value.end ?? 0n) <= run.address) vma++;
    for (let next = vma; next < vmas.length; next++) {
      const record = vmas[next];
      if (record === undefined || record.value.start >= end(run, pageSize)) break;
      filled.add(record);
    }
  }
  return filled;
}

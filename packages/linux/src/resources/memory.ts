import type { CheckpointScope, Resource, RestoreScope } from '@ckpt/engine';
import {
  CKPT_HDR_BUFFER,
  CKPT_HDR_STRING,
  IoUring,
  Mm,
  PageMap,
  Path,
  Shm,
  Vma,
  pageSources,
  pathFlags,
} from '@ckpt/format';
import { parseSmaps } from '../procfs/smaps.ts';
import { parseStat } from '../procfs/stat.ts';
import { ascending, executorHole, freeRange, type Range } from './memory-hole.ts';
import { checkedRuns, guardPages, loadPages, vmasWith } from './memory-load.ts';
import { askBarriers, barriersOf, coreOf, restoreExtras } from './memory-extras.ts';
import { futureLocks, restoreLocks } from './memory-lock.ts';
import { takeAddresses } from './huge-file.ts';
import { restoreMm } from './memory-mm.ts';
import { checkpointPages } from './memory-pages.ts';
import { checkpointVdso, restoreVdso, vdsoPlace } from './memory-vdso.ts';
import { required, requiredParts } from './facts.ts';
import { checkpointLink } from './path.ts';
import { checkpointVmas } from './vma.ts';
import { isSelfContained } from './vma-file.ts';
import { checkVmas } from './vma-check.ts';
import { mapVmas } from './vma-map.ts';
import { lockGuarded, protectVma } from './vma-protect.ts';

/** The vector without what follows its end, AT_NULL. */
function trimAuxv(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + 16 <= bytes.length; at += 16) {
    if (view.getBigUint64(at, true) === 0n) return bytes.slice(0, at + 16);
  }
  return bytes;
}

function checkpoint(scope: CheckpointScope): void {
  const { frozen, task, objhash } = scope;
  const { objref } = objhash.of('mm', String(task.pid));
  const { vmas, vdso } = checkpointVmas(scope, parseSmaps(requiredParts(frozen, task, 'smaps')));
  const block = checkpointVdso(scope, vdso);
  const programFlags = pathFlags.MAPPED | (isSelfContained(scope) ? pathFlags.CARRIED : 0);
  const exe = checkpointLink(scope, 'the program', 'exe', programFlags) ?? 0;
  const { mm } = parseStat(required(frozen, task, 'stat'));
  const [brk, barriers] = scope.answers();
  scope.emit(Mm, {
    objref,
    exe,
    start_code: mm.startCode,
    end_code: mm.endCode,
    start_data: mm.startData,
    end_data: mm.endData,
    start_brk: mm.startBrk,
    brk: brk?.result ?? mm.startBrk,
    start_stack: mm.startStack,
    arg_start: mm.argStart,
    arg_end: mm.argEnd,
    env_start: mm.envStart,
    env_end: mm.envEnd,
    ...block,
    lock_flags: futureLocks(scope, vmas),
    vmas: vmas.length,
    barriers: barriersOf(barriers?.result),
    core: coreOf(scope),
  });
  scope.emitBytes(CKPT_HDR_BUFFER, trimAuxv(required(frozen, task, 'auxv')));
  for (const { vma, name } of vmas) {
    scope.emit(Vma, vma);
    if (name.length > 0) scope.emitBytes(CKPT_HDR_STRING, name);
  }
  checkpointPages(scope, objref, vmas);
}

function restore(scope: RestoreScope): void {
  const { document, system } = scope;
  const mm = document.one(Mm);
  const vmas = document.all(Vma);
  if (vmas.length !== mm.value.vmas) {
    throw mm.invalid('vmas', `${vmas.length} mappings where ${mm.value.vmas} were said`);
  }
  const block: Range = { start: mm.value.vdso, end: mm.value.vdso + mm.value.vdso_size };
  checkVmas(vmas, block, system.pageSize);
  const runs = checkedRuns(scope, vmas);
  const filled = vmasWith(pageSources.store, vmas, runs, system.pageSize);
  const guarded = vmasWith(pageSources.guard, vmas, runs, system.pageSize);
  const taken = ascending([...vmas.map(({ value }) => value), block]);
  const hole = executorHole(taken);
  if (hole === undefined) {
    throw mm.invalid('vmas', 'no free range of addresses is left for the executor', 'ENOMEM');
  }
  scope.step('wipe', {
    op: 'wipe',
    on: scope.pid,
    from: { position: mm.position, path: 'memory' },
    hole: {
      address: hole.start,
      length: Number(hole.end - hole.start),
      // Rings can only be mapped where nothing else is free.
      ...(document.all(IoUring).length > 0 ? { whole: true } : {}),
    },
  });
  const place = vdsoPlace(scope, [...taken, hole]);
  if (place !== undefined) restoreVdso(scope, mm, place);
  const all = ascending([...taken, hole, ...(place === undefined ? [] : [place])]);
  const spare = (size: bigint) => freeRange(all, size);
  takeAddresses(scope.document, all);
  mapVmas(scope, vmas, { filled, spare });
  loadPages(scope, runs);
  for (const vma of vmas) {
    protectVma(scope, vma, { filled: filled.has(vma), guarded: guarded.has(vma) });
  }
  guardPages(scope, runs);
  for (const vma of guarded) lockGuarded(scope, vma);
  restoreMm(scope, mm);
  restoreLocks(scope, mm);
  restoreExtras(scope, mm);
}

/**
 * The address space: mappings, the pages that are its own, heap, arguments, the vdso.
 *
 * Image: files and shared objects first, then {@link Mm}, its auxiliary vector, each {@link Vma},
 * {@link PageMap}. Not saved: pages of files that were not changed (the file must be the same),
 * zero pages, what MAP_DROPPABLE holds.
 */
export const memory: Resource = {
  kind: 'memory',
  records: [Mm, Vma, Shm, PageMap, Path],
  asksTask: [{ call: 'brk', args: [0] }, askBarriers],
  checkpoint,
  restore,
};

import type { RestoreScope, Value } from '@ckpt/engine';
import { Path, pathFlags, vmaKinds } from '@ckpt/format';
import type { Range } from './memory-hole.ts';
import { close, openPath } from './path-open.ts';
import { mapShm } from './shm-map.ts';
import { isUnnamed, mapUnnamed } from './unnamed-map.ts';
import { madviseBefore } from './vma-flags.ts';
import { flagsOf, isFile, nameVma, protectionBefore, type VmaRecord } from './vma-mmap.ts';

const O_RDONLY = 0;
const O_RDWR = 2;

/** What all mappings of an address space share while they are planned. */
export interface Mapping {
  /** Those that stored pages are loaded into. */
  readonly filled: ReadonlySet<VmaRecord>;
  /** Free addresses, for a moment. */
  readonly spare: (size: bigint) => Range | undefined;
}

function map(scope: RestoreScope, record: VmaRecord, fd: Value, { filled }: Mapping): void {
  const { start, end, offset } = record.value;
  const protection = protectionBefore(record, filled.has(record));
  const from = isFile(record.value) ? offset : 0;
  const args = [start, end - start, protection, flagsOf(record.value), fd, from];
  const pages = record.value.page_shift === 0 ? '' : ` of huge pages (raise vm.nr_hugepages)`;
  scope.call('maps', record, 'mmap', args, { expect: start, what: `${nameVma(record)}${pages}` });
}

/** Advice that must be there before memory is filled; a kernel without huge pages has none. */
function adviseBefore(scope: RestoreScope, record: VmaRecord): void {
  const { start, end, advice } = record.value;
  for (const [bit, number] of madviseBefore) {
    if ((advice & bit) === 0) continue;
    scope.call('maps', record, 'madvise', [start, end - start, number], {
      failure: 'warn',
      what: `huge pages of ${nameVma(record)}`,
    });
  }
}

/** All mappings of one file, so that it is opened once. */
function mapFile(scope: RestoreScope, records: readonly VmaRecord[], mapping: Mapping): void {
  const [first] = records;
  if (first === undefined) return;
  const path = scope.document.object(first.value.object, Path, first);
  if (isUnnamed(scope, path)) {
    mapUnnamed(scope, path, records, mapping.filled);
    return;
  }
  const writes = (path.value.flags & pathFlags.WRITTEN) !== 0;
  const fd = openPath(scope, 'maps', first, path, writes ? O_RDWR : O_RDONLY);
  for (const record of records) map(scope, record, fd, mapping);
  close(scope, 'maps', first, fd);
}

/** Those of some kinds, by the object that they map. */
function byObject(records: readonly VmaRecord[], kinds: readonly number[]): VmaRecord[][] {
  const groups = new Map<number, VmaRecord[]>();
  for (const record of records) {
    if (!kinds.includes(record.value.kind)) continue;
    const group = groups.get(record.value.object);
    if (group === undefined) groups.set(record.value.object, [record]);
    else group.push(record);
  }
  return [...groups.values()];
}

/** Plans all mappings, empty or with their files behind them. Rings are made by who owns them. */
export function mapVmas(
  scope: RestoreScope,
  records: readonly VmaRecord[],
  mapping: Mapping,
): void {
  const anonymous: readonly number[] = [vmaKinds.anonymous, vmaKinds.stack];
  for (const record of records) {
    if (anonymous.includes(record.value.kind)) map(scope, record, -1, mapping);
  }
  for (const group of byObject(records, [vmaKinds.file, vmaKinds.shared_file])) {
    mapFile(scope, group, mapping);
  }
  for (const group of byObject(records, [vmaKinds.shared_anonymous])) {
    mapShm(scope, group, mapping.spare);
  }
  for (const record of records) adviseBefore(scope, record);
}

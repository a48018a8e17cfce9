import type { Document, ImageRecord, RestoreScope, Section } from '@ckpt/engine';
import type { FileRun, Path } from '@ckpt/format';
import { ascending, freeRange, type Range } from './memory-hole.ts';
import { nameOf } from './path-name.ts';
import { MAP_FIXED_NOREPLACE, MAP_SHARED } from './vma-mmap.ts';

const PROT_READ_WRITE = 3;
/** Binary logarithms of the bytes of huge pages. */
const shiftMin = 16;
const shiftMax = 34;

/** Addresses that are in use, or will be, once memory is planned. */
const taken = new WeakMap<Document, readonly Range[]>();

export function takeAddresses(document: Document, ranges: readonly Range[]): void {
  taken.set(document, ranges);
}

/** Addresses that nobody else gets: aligned, of whole huge pages. */
function place(scope: RestoreScope, path: ImageRecord<Path>, pageSize: bigint): Range {
  const size = ((path.value.size + pageSize - 1n) / pageSize) * pageSize;
  const all = taken.get(scope.document) ?? [];
  const free = freeRange(ascending(all), size + pageSize);
  if (free === undefined) {
    throw path.invalid('size', `no room for ${size.toString()} bytes of huge pages`, 'ENOMEM');
  }
  taken.set(scope.document, [...all, free]);
  const start = ((free.start + pageSize - 1n) / pageSize) * pageSize;
  return { start, end: start + size };
}

/** Plans to fill a file of huge pages: it can only be written through memory. */
export function fillHuge(
  scope: RestoreScope,
  section: Section,
  path: ImageRecord<Path>,
  number: number,
  runs: readonly FileRun[],
): void {
  const { page_shift: shift, size } = path.value;
  if (shift < shiftMin || shift > shiftMax) {
    throw path.invalid('page_shift', `pages of 2^${shift} bytes`);
  }
  const pageSize = 1n << BigInt(shift);
  if (size % pageSize !== 0n) throw path.invalid('size', `${size.toString()} bytes of huge pages`);
  if (runs.length === 0) return;
  const { start, end } = place(scope, path, pageSize);
  const flags = MAP_SHARED | MAP_FIXED_NOREPLACE;
  scope.call(section, path, 'mmap', [start, end - start, PROT_READ_WRITE, flags, number, 0], {
    expect: start,
    what: `huge pages of ${nameOf(path)} (raise vm.nr_hugepages)`,
  });
  for (const { offset, pages, index } of runs) {
    scope.step(section, {
      op: 'load',
      on: scope.pid,
      from: { position: path.position, path: `${section}/PATH` },
      to: { address: start + offset },
      length: Number(pages) * scope.system.pageSize,
      index: Number(index),
    });
  }
  scope.call(section, path, 'munmap', [start, end - start]);
}

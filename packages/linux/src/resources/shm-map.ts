import type { RestoreScope } from '@ckpt/engine';
import { Shm, mapFlags, protections } from '@ckpt/format';
import { addressMax } from './vma-classify.ts';
import type { Range } from './memory-hole.ts';
import {
  MAP_ANONYMOUS,
  MAP_FIXED_NOREPLACE,
  MAP_SHARED,
  nameVma,
  type VmaRecord,
} from './vma-mmap.ts';

/** sys/mman.h. A shared mapping of old size 0 is mapped once more (mremap(2)). */
const MREMAP_MAYMOVE_FIXED = 3;

/**
 * Plans memory that several mappings share: it is mapped whole for a moment, and each mapping is
 * one more view of it. Everything is writable until the pages are loaded.
 */
export function mapShm(
  scope: RestoreScope,
  records: readonly VmaRecord[],
  spare: (size: bigint) => Range | undefined,
): void {
  const [first] = records;
  if (first === undefined) return;
  const shm = scope.document.object(first.value.object, Shm, first);
  const { size } = shm.value;
  for (const record of records) {
    const { start, end, offset } = record.value;
    if (offset + end - start > size || size > addressMax) {
      throw record.invalid('offset', `${nameVma(record)} is beyond ${size.toString()} bytes`);
    }
  }
  const place = spare(size);
  if (place === undefined) {
    throw shm.invalid('size', `no room for ${size.toString()} shared bytes`, 'ENOMEM');
  }
  const reserve = first.value.flags & mapFlags.NORESERVE;
  const flags = MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | reserve;
  const protection = protections.READ | protections.WRITE;
  scope.call('maps', shm, 'mmap', [place.start, size, protection, flags, -1, 0], {
    expect: place.start,
    what: `shared memory of ${size.toString()} bytes`,
  });
  for (const record of records) {
    const { start, end, offset } = record.value;
    const args = [place.start + offset, 0, end - start, MREMAP_MAYMOVE_FIXED, start];
    scope.call('maps', record, 'mremap', args, { expect: start, what: nameVma(record) });
  }
  scope.call('maps', shm, 'munmap', [place.start, size]);
}

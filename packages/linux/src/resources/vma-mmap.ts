import type { ImageRecord } from '@ckpt/engine';
import { adviceFlags, mapFlags, protections, vmaKinds, type Vma } from '@ckpt/format';

/** sys/mman.h */
export const MAP_SHARED = 1;
const MAP_PRIVATE = 2;
export const MAP_ANONYMOUS = 0x20;
/** Where something is already, EEXIST: an image cannot map over the executor. */
export const MAP_FIXED_NOREPLACE = 0x10_0000;

export type VmaRecord = ImageRecord<Vma>;

/** "mapping 7f0000000000-7f0000001000" */
export const nameVma = ({ value: { start, end } }: VmaRecord): string =>
  `mapping ${start.toString(16)}-${end.toString(16)}`;

/** True for a mapping of a file. */
export const isFile = ({ kind }: Vma): boolean =>
  kind === vmaKinds.file || kind === vmaKinds.shared_file;

/** True for a mapping whose changes others see. */
const isShared = ({ kind }: Vma): boolean =>
  kind === vmaKinds.shared_file || kind === vmaKinds.shared_anonymous;

/**
 * Protection until the pages are loaded. What counts against the commit limit was writable once:
 * mapped so, it counts again, and has the flags that it had.
 */
export function protectionBefore({ value: vma }: VmaRecord, filled: boolean): number {
  const { READ, WRITE } = protections;
  const counts = (vma.advice & adviceFlags.ACCOUNTED) !== 0 && !isShared(vma);
  const writes = (vma.protection & WRITE) !== 0;
  return (filled || counts) && !writes ? READ | WRITE : vma.protection;
}

/** MAP_HUGE_SHIFT: the size of huge pages stands in the flags of mmap(2), and of memfd_create(2). */
const hugeShift = 26;

/** What asks for huge pages of that size. A shift beyond the sign is one of a 32-bit number. */
export const hugeFlags = (flag: number, pageShift: number): number =>
  pageShift === 0 ? 0 : flag + pageShift * 2 ** hugeShift;

/** Flags of mmap(2), the place included. */
export function flagsOf(vma: Vma): number {
  const droppable = (vma.flags & mapFlags.DROPPABLE) !== 0;
  const sharing = droppable ? 0 : isShared(vma) ? MAP_SHARED : MAP_PRIVATE;
  const stays = mapFlags.GROWSDOWN | mapFlags.NORESERVE | mapFlags.DROPPABLE;
  const plain =
    (vma.flags & stays) | sharing | (isFile(vma) ? 0 : MAP_ANONYMOUS) | MAP_FIXED_NOREPLACE;
  // A file in hugetlbfs has them by itself.
  return isFile(vma) ? plain : plain + hugeFlags(mapFlags.HUGETLB, vma.page_shift);
}

import { adviceFlags, mapFlags, protections, vmaKinds } from '@ckpt/format';
import type { Range } from './memory-hole.ts';
import { addressMax } from './vma-classify.ts';
import type { VmaRecord } from './vma-mmap.ts';

const known: readonly number[] = [
  vmaKinds.anonymous,
  vmaKinds.file,
  vmaKinds.shared_anonymous,
  vmaKinds.shared_file,
  vmaKinds.stack,
  vmaKinds.io_uring,
];

const allBits = (table: Readonly<Record<string, number>>): number =>
  Object.values(table).reduce((sum, bit) => sum | bit, 0);

const adviceKnown = allBits(adviceFlags);
const flagsKnown = mapFlags.GROWSDOWN | mapFlags.NORESERVE | mapFlags.DROPPABLE | mapFlags.HUGETLB;

/** Binary logarithms of the bytes of huge pages that processors have: 64 KiB to 16 GiB. */
const shiftMin = 16;
const shiftMax = 34;

/** Bytes of huge pages; undefined where there are none. @throws CkptError EINVAL. */
function checkedPageSize(record: VmaRecord): bigint | undefined {
  const { flags, page_shift: shift } = record.value;
  const isHuge = (flags & mapFlags.HUGETLB) !== 0;
  if (isHuge ? shift < shiftMin || shift > shiftMax : shift !== 0) {
    throw record.invalid('page_shift', `pages of 2^${shift} bytes`);
  }
  return isHuge ? 1n << BigInt(shift) : undefined;
}

/**
 * Checks mappings as the kernel would, before anything is made.
 * @param block of [vvar] and [vdso].
 * @throws CkptError EINVAL; ENOSYS for a kind that this version does not map.
 */
export function checkVmas(records: readonly VmaRecord[], block: Range, pageSize: number): void {
  const ordinary = BigInt(pageSize);
  let last = 0n;
  for (const record of records) {
    const size = checkedPageSize(record) ?? ordinary;
    const { start, end, offset, kind, protection, flags, advice } = record.value;
    const { protection_key: key } = record.value;
    if (!known.includes(kind)) {
      throw record.invalid('kind', `a mapping of kind ${kind}`, 'ENOSYS');
    }
    if (start % size !== 0n || end % size !== 0n || offset % size !== 0n) {
      throw record.invalid('start', `not whole pages at ${start.toString(16)}`);
    }
    if (start < last || end <= start || end > addressMax) {
      throw record.invalid('end', `mapping ${start.toString(16)}-${end.toString(16)}`);
    }
    if (start < block.end && end > block.start) {
      throw record.invalid('start', `mapping ${start.toString(16)} is over the vdso`);
    }
    const all = protections.READ | protections.WRITE | protections.EXEC;
    if ((protection & ~all) !== 0) {
      throw record.invalid('protection', `protection ${protection}`);
    }
    if ((flags & ~flagsKnown) !== 0) {
      throw record.invalid('flags', `flags 0x${flags.toString(16)}`, 'ENOSYS');
    }
    if ((advice & ~adviceKnown) !== 0) {
      throw record.invalid('advice', `advice 0x${advice.toString(16)}`, 'ENOSYS');
    }
    if (key !== 0) throw record.invalid('protection_key', `protection key ${key}`, 'ENOSYS');
    last = end;
  }
}

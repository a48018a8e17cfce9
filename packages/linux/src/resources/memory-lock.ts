import type { Call, CheckpointScope, ImageRecord, RestoreScope } from '@ckpt/engine';
import { lockFlags, type Mm } from '@ckpt/format';
import { ascending, freeRange } from './memory-hole.ts';
import type { CarriedVma } from './vma.ts';

/** mmap(2) */
const PROT_READ_WRITE = 3;
const MAP_PRIVATE_ANONYMOUS = 0x22;
const MAP_FIXED_NOREPLACE = 0x10_0000;
const EAGAIN = -11n;
const EINVAL = -22n;
/** madvise(2): refused where memory is locked. */
const MADV_DONTNEED = 4;

/**
 * mlockall(2) for mappings to come, which nothing shows: such a mapping is locked, and filled at
 * once but for MCL_ONFAULT. So one page is mapped, looked at, and unmapped by the process itself.
 */
export function futureLocks(scope: CheckpointScope, vmas: readonly CarriedVma[]): number {
  const { frozen, task, system } = scope;
  const [leader] = task.threads;
  // To ask costs as much as all other questions together: a host may have seen it.
  if (leader === undefined || frozen.locksNew?.(task) === false) return 0;
  const size = system.pageSize;
  // The lowest place: what the executor maps for itself comes from the top, or far above.
  const free = freeRange(ascending(vmas.map(({ vma }) => vma)), BigInt(size));
  if (free === undefined) return 0;
  const flags = MAP_PRIVATE_ANONYMOUS | MAP_FIXED_NOREPLACE;
  const calls: readonly Call[] = [
    { call: 'mmap', args: [free.start, size, PROT_READ_WRITE, flags, -1, 0] },
    { call: 'mincore', args: [free.start, size, { out: 1 }] },
    { call: 'madvise', args: [free.start, size, MADV_DONTNEED] },
    { call: 'munmap', args: [free.start, size] },
  ];
  const [mapped, looked, dropped] = frozen.ask(task, leader, calls);
  // More than the process may lock: the limit is only looked at where it would be locked.
  if (mapped?.result === EAGAIN) {
    scope.note('whether mappings to come are filled at once (MCL_ONFAULT) cannot be seen');
    return lockFlags.MCL_FUTURE;
  }
  if (dropped?.result !== EINVAL) return 0;
  const present = looked?.result === 0n && ((looked.out[0]?.[0] ?? 0) & 1) === 1;
  return lockFlags.MCL_FUTURE | (present ? 0 : lockFlags.MCL_ONFAULT);
}

/** Plans mlockall(2) for mappings to come, while the rights of the invoker last. */
export function restoreLocks(scope: RestoreScope, record: ImageRecord<Mm>): void {
  const { lock_flags: flags } = record.value;
  if (flags === 0) return;
  const { MCL_FUTURE, MCL_ONFAULT } = lockFlags;
  if ((flags & ~MCL_ONFAULT) !== MCL_FUTURE) {
    throw record.invalid('lock_flags', `mlockall(2) with flags ${flags}`, 'ENOSYS');
  }
  // When all is mapped: what is not locked now is not locked then.
  scope.call('settle', record, 'mlockall', [flags], { what: 'lock the mappings to come' });
}

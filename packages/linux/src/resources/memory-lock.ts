import type { Call, CheckpointScope, ImageRecord, RestoreScope } from '@ckpt/engine';
import { adviceFlags, lockFlags, type Mm } from '@ckpt/format';
import { ascending, freeRange } from './memory-hole.ts';
import type { CarriedVma } from './vma.ts';

/** mmap(2) */
const PROT_READ_WRITE = 3;
const MAP_PRIVATE_ANONYMOUS = 0x22;
const MAP_FIXED_NOREPLACE = 0x10_0000;
const EAGAIN = -11n;

/**
 * mlockall(2) for mappings to come, which nothing shows: the kernel fills such a mapping at once.
 * So one page is mapped, looked at, and unmapped by the process itself. Only a process that has
 * locked something is asked. MCL_ONFAULT leaves no trace even so.
 */
export function futureLocks(scope: CheckpointScope, vmas: readonly CarriedVma[]): number {
  const { frozen, task, system } = scope;
  const [leader] = task.threads;
  if (leader === undefined) return 0;
  if (!vmas.some(({ vma }) => (vma.advice & adviceFlags.LOCKED) !== 0)) return 0;
  const size = system.pageSize;
  // The lowest place: what the executor maps for itself comes from the top, or far above.
  const free = freeRange(ascending(vmas.map(({ vma }) => vma)), BigInt(size));
  if (free === undefined) return 0;
  const flags = MAP_PRIVATE_ANONYMOUS | MAP_FIXED_NOREPLACE;
  const calls: readonly Call[] = [
    { call: 'mmap', args: [free.start, size, PROT_READ_WRITE, flags, -1, 0] },
    { call: 'mincore', args: [free.start, size, { out: 1 }] },
    { call: 'munmap', args: [free.start, size] },
  ];
  const [mapped, looked] = frozen.ask(task, leader, calls);
  // More than the process may lock: the limit is only looked at where it would be locked.
  if (mapped?.result === EAGAIN) return lockFlags.MCL_FUTURE;
  const present = looked?.result === 0n && ((looked.out[0]?.[0] ?? 0) & 1) === 1;
  return present ? lockFlags.MCL_FUTURE : 0;
}

/** Plans mlockall(2) when all is mapped, with the rights of the invoker. */
export function restoreLocks(scope: RestoreScope, record: ImageRecord<Mm>): void {
  const { lock_flags: flags } = record.value;
  if (flags === 0) return;
  if (flags !== lockFlags.MCL_FUTURE) {
    throw record.invalid('lock_flags', `mlockall(2) with flags ${flags}`, 'ENOSYS');
  }
  scope.call('rights', record, 'mlockall', [flags], { what: 'lock the mappings to come' });
}

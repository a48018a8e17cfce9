import type { RestoreScope } from '@ckpt/engine';
import { CKPT_HDR_STRING, adviceFlags, mapFlags, protections, vmaKinds } from '@ckpt/format';
import { madvise } from './vma-flags.ts';
import { nameVma, protectionBefore, type VmaRecord } from './vma-mmap.ts';

/** mlock2(2) */
const MLOCK_ONFAULT = 1;
/** prctl(2) */
const PR_SET_VMA = 0x53564d41;
const PR_SET_VMA_ANON_NAME = 0;

/** What a mapping has while its pages are loaded. */
function before(record: VmaRecord, filled: boolean): number {
  const shm = record.value.kind === vmaKinds.shared_anonymous;
  return shm ? protections.READ | protections.WRITE : protectionBefore(record, filled);
}

function lock(scope: RestoreScope, record: VmaRecord): void {
  const { start, end, advice } = record.value;
  const flags = (advice & adviceFlags.LOCKONFAULT) === 0 ? 0 : MLOCK_ONFAULT;
  scope.call('protect', record, 'mlock2', [start, end - start, flags], {
    what: `lock ${nameVma(record)} in memory (raise "ulimit -l")`,
  });
}

/**
 * Plans to lock a mapping in memory that has got its guard pages: no locked one takes any
 * (MADV_GUARD_INSTALL). Where pages are filled at once, the kernel ends at the first guard, and
 * says so though it has locked all that is there.
 */
export function lockGuarded(scope: RestoreScope, record: VmaRecord): void {
  const { start, end, advice } = record.value;
  if ((advice & adviceFlags.LOCKED) === 0) return;
  if ((advice & adviceFlags.LOCKONFAULT) !== 0) {
    lock(scope, record);
    return;
  }
  scope.call('protect', record, 'mlock2', [start, end - start, 0], {
    failure: 'warn',
    what: `fill and lock ${nameVma(record)}, which has guard pages`,
  });
}

/** A name is for those who look at the map, and not every kernel takes one. */
function rename(scope: RestoreScope, record: VmaRecord): void {
  const { start, end } = record.value;
  if (!record.following.some(({ type }) => type === CKPT_HDR_STRING)) return;
  const name = new Uint8Array([...record.bytesOf(CKPT_HDR_STRING), 0]);
  const args = [PR_SET_VMA, PR_SET_VMA_ANON_NAME, start, end - start, { blob: name }];
  scope.call('protect', record, 'prctl', args, {
    failure: 'warn',
    what: `name of ${nameVma(record)}`,
  });
}

/** What lies in a mapping. */
interface Contents {
  readonly filled: boolean;
  readonly guarded: boolean;
}

/**
 * Plans what a mapping gets when its pages are loaded: protection, advice, locks, the seal. What
 * has guard pages is locked behind them ({@link lockGuarded}).
 */
export function protectVma(
  scope: RestoreScope,
  record: VmaRecord,
  { filled, guarded }: Contents,
): void {
  const { start, end, protection, advice, flags, kind } = record.value;
  if (kind === vmaKinds.io_uring) return;
  const length = end - start;
  if (before(record, filled) !== protection) {
    scope.call('protect', record, 'mprotect', [start, length, protection], {
      what: nameVma(record),
    });
  }
  for (const [bit, number] of madvise) {
    // A droppable mapping has the others by itself.
    if ((advice & bit) === 0 || (flags & mapFlags.DROPPABLE) !== 0) continue;
    scope.call('protect', record, 'madvise', [start, length, number], {
      failure: bit === adviceFlags.MERGEABLE ? 'warn' : 'fatal',
      what: `advice ${number} for ${nameVma(record)}`,
    });
  }
  if ((advice & adviceFlags.LOCKED) !== 0 && !guarded) lock(scope, record);
  rename(scope, record);
  if ((advice & adviceFlags.SEALED) !== 0) {
    scope.call('last', record, 'mseal', [start, length, 0], { what: `seal ${nameVma(record)}` });
  }
}

import type { ImageRecord, RestoreScope, Value } from '@ckpt/engine';
import type { Cred } from '@ckpt/format';
import type { Status } from '../procfs/status.ts';

/** prctl(2) */
const PR_CAPBSET_DROP = 24;
const PR_SET_SECUREBITS = 28;
const PR_CAP_AMBIENT = 47;
const PR_CAP_AMBIENT_RAISE = 2;
const PR_CAP_AMBIENT_CLEAR_ALL = 4;

/** _LINUX_CAPABILITY_VERSION_3 (linux/capability.h) */
const capabilityVersion = 0x20080522;

/** Bits of a set, by number. */
export function bitsOf(set: bigint): readonly number[] {
  return Array.from({ length: 64 }, (_, bit) => bit).filter(
    (bit) => ((set >> BigInt(bit)) & 1n) === 1n,
  );
}

type Capabilities = Status['capabilities'];

/** struct __user_cap_data_struct twice: the low words of three sets, then the high ones. */
function capabilityData({ effective, permitted, inheritable }: Capabilities): Uint8Array {
  const bytes = new Uint8Array(24);
  const view = new DataView(bytes.buffer);
  for (const [index, set] of [effective, permitted, inheritable].entries()) {
    view.setUint32(index * 4, Number(set & 0xffff_ffffn), true);
    view.setUint32(12 + index * 4, Number(set >> 32n), true);
  }
  return bytes;
}

function capabilityHeader(): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setUint32(0, capabilityVersion, true);
  return bytes;
}

/** Arguments of capset(2) for the sets of a thread. */
export const capsetArgs = (sets: Capabilities): readonly Value[] => [
  { blob: capabilityHeader() },
  { blob: capabilityData(sets) },
];

/**
 * Plans the capabilities of a thread; `dropped` leave its bounding set. What may be dropped from the bounding set and set as secure
 * bits needs a capability, so the sets themselves come after; the ambient ones need both.
 */
export function restoreCapabilities(
  scope: RestoreScope,
  record: ImageRecord<Cred>,
  sets: Capabilities,
  dropped: readonly number[],
  on: number,
): void {
  const prctl = (what: string, ...args: number[]): void => {
    scope.call('credentials', record, 'prctl', [...args, 0, 0, 0].slice(0, 5), { on, what });
  };
  for (const bit of dropped) prctl(`drop capability ${bit}`, PR_CAPBSET_DROP, bit, 0);
  prctl('secure bits', PR_SET_SECUREBITS, record.value.securebits, 0);
  scope.call('credentials', record, 'capset', capsetArgs(sets), { on, what: 'capabilities' });
  prctl('ambient capabilities', PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0);
  for (const bit of bitsOf(sets.ambient)) {
    prctl(`ambient capability ${bit}`, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, bit);
  }
}

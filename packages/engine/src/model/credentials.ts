import { decodeText } from '@ckpt/io';

/** Real, effective, saved, and the one for files. */
export interface Ids {
  real: number;
  effective: number;
  saved: number;
  fs: number;
}

export interface CapabilitySets {
  inheritable: bigint;
  permitted: bigint;
  effective: bigint;
  bounding: bigint;
  ambient: bigint;
}

/** linux/securebits.h */
const SECBIT_NO_SETUID_FIXUP = 4;
const SECBIT_KEEP_CAPS = 0x10;
export const SECBIT_NO_CAP_AMBIENT_RAISE = 0x40;

const bits = (...numbers: readonly number[]): bigint =>
  numbers.reduce((set, bit) => set | (1n << BigInt(bit)), 0n);

/** What goes and comes with fsuid 0 (linux/capability.h, CAP_FS_SET). */
const fileCapabilities = bits(0, 1, 2, 3, 4, 9, 27, 32);

/** Capabilities up to CAP_CHECKPOINT_RESTORE. */
export const allCapabilities = (1n << 41n) - 1n;

/** Who a thread is, and what it may do. */
export class Credentials {
  uid: Ids = { real: 0, effective: 0, saved: 0, fs: 0 };
  gid: Ids = { real: 0, effective: 0, saved: 0, fs: 0 };
  groups: readonly number[] = [];
  capabilities: CapabilitySets = {
    inheritable: 0n,
    permitted: allCapabilities,
    effective: allCapabilities,
    bounding: allCapabilities,
    ambient: 0n,
  };
  securebits = 0;

  copy(): Credentials {
    const other = new Credentials();
    other.uid = { ...this.uid };
    other.gid = { ...this.gid };
    other.groups = this.groups;
    other.capabilities = { ...this.capabilities };
    other.securebits = this.securebits;
    return other;
  }

  /** By number (capabilities(7)). */
  can(bit: number): boolean {
    return ((this.capabilities.effective >> BigInt(bit)) & 1n) === 1n;
  }

  /** What becomes of capabilities when user ids change (security/commoncap.c). */
  fixSetuid(before: Ids): void {
    if ((this.securebits & SECBIT_NO_SETUID_FIXUP) !== 0) return;
    const { uid, capabilities: caps } = this;
    const wasRoot = [before.real, before.effective, before.saved].includes(0);
    const isRoot = [uid.real, uid.effective, uid.saved].includes(0);
    if (wasRoot && !isRoot) {
      if ((this.securebits & SECBIT_KEEP_CAPS) === 0) caps.permitted = caps.effective = 0n;
      caps.ambient = 0n;
    }
    if (before.effective === 0 && uid.effective !== 0) caps.effective = 0n;
    if (before.effective !== 0 && uid.effective === 0) caps.effective = caps.permitted;
  }

  fixSetfsuid(before: number): void {
    if ((this.securebits & SECBIT_NO_SETUID_FIXUP) !== 0) return;
    const { capabilities: caps, uid } = this;
    if (before === 0 && uid.fs !== 0) caps.effective &= ~fileCapabilities;
    if (before !== 0 && uid.fs === 0) caps.effective |= caps.permitted & fileCapabilities;
  }
}

function ids(text: string): Ids {
  const [real = 0, effective = 0, saved = 0, fs = 0] = text.split(/\s+/).map(Number);
  return { real, effective, saved, fs };
}

/** Lines of /proc/PID/status by their names. */
export function statusLines(bytes: Uint8Array): ReadonlyMap<string, string> {
  const lines = decodeText(bytes).split('\n');
  return new Map(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    }),
  );
}

/** Credentials as /proc/PID/status tells them. */
export function credentialsOf(status: Uint8Array): Credentials {
  const lines = statusLines(status);
  const set = (name: string): bigint => BigInt(`0x${lines.get(name) ?? '0'}`);
  const credentials = new Credentials();
  credentials.uid = ids(lines.get('Uid') ?? '');
  credentials.gid = ids(lines.get('Gid') ?? '');
  credentials.groups = (lines.get('Groups') ?? '').split(/\s+/).filter(Boolean).map(Number);
  credentials.capabilities = {
    inheritable: set('CapInh'),
    permitted: set('CapPrm'),
    effective: set('CapEff'),
    bounding: set('CapBnd'),
    ambient: set('CapAmb'),
  };
  return credentials;
}

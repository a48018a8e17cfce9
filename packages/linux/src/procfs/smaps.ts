import { decodeText } from '@ckpt/io';

/** A mapping as /proc/PID/smaps shows it (proc_pid_smaps(5)). */
export interface Mapping {
  readonly start: bigint;
  readonly end: bigint;
  /** "rwxp": the last is s for a shared mapping. */
  readonly permissions: string;
  /** Bytes into the file. */
  readonly offset: bigint;
  /** Of the file system, in the layout of st_dev. */
  readonly device: bigint;
  /** 0: no file. */
  readonly inode: bigint;
  /** Path, "[stack]", or empty. A newline in a path stands as \012. */
  readonly name: string;
  /** Bytes of pages that belong to the mapping alone (anonymous), in memory or swapped out. */
  readonly own: bigint;
  /** Bytes swapped out. */
  readonly swapped: bigint;
  /** Bytes of pages that are mapped somewhere else as well. */
  readonly alsoElsewhere: bigint;
  /** pkeys(7) */
  readonly protectionKey: number;
  /** Two letters each. */
  readonly flags: ReadonlySet<string>;
}

const header = /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) ([0-9a-f]+) ([0-9a-f]+):([0-9a-f]+) (\d+) *(.*)$/;

const hex = (text = '0'): bigint => BigInt(`0x${text}`);

/** makedev(3) */
export function makeDevice(major: bigint, minor: bigint): bigint {
  const low = (minor & 0xffn) | ((major & 0xfffn) << 8n);
  return low | ((minor & ~0xffn) << 12n) | ((major & ~0xfffn) << 32n);
}

type Draft = { -readonly [K in keyof Mapping]: Mapping[K] };

function begin(line: string): Draft | undefined {
  const match = header.exec(line);
  if (match === null) return undefined;
  const [, start, end, permissions = '', offset, major, minor, inode = '0', name = ''] = match;
  return {
    start: hex(start),
    end: hex(end),
    permissions,
    offset: hex(offset),
    device: makeDevice(hex(major), hex(minor)),
    inode: BigInt(inode),
    name,
    own: 0n,
    swapped: 0n,
    alsoElsewhere: 0n,
    protectionKey: 0,
    flags: new Set(),
  };
}

/** "  132 kB" */
const kibibytes = (text: string): bigint => BigInt(Number.parseInt(text, 10)) * 1024n;

function note(mapping: Draft, name: string, value: string): void {
  if (name === 'Anonymous') mapping.own += kibibytes(value);
  else if (name === 'Swap') {
    mapping.swapped = kibibytes(value);
    mapping.own += mapping.swapped;
  } else if (name === 'Shared_Clean' || name === 'Shared_Dirty') {
    mapping.alsoElsewhere += kibibytes(value);
  } else if (name === 'ProtectionKey') mapping.protectionKey = Number(value);
  else if (name === 'VmFlags') mapping.flags = new Set(value.trim().split(' ').filter(Boolean));
}

/** Reads /proc/PID/smaps, by ascending address. Lines that are not used are passed over. */
export function parseSmaps(bytes: Uint8Array): readonly Mapping[] {
  const mappings: Mapping[] = [];
  let current: Draft | undefined;
  for (const line of decodeText(bytes).split('\n')) {
    // Names of fields begin with a capital, mappings with a lower-case digit.
    if (line.charCodeAt(0) >= 0x41 && line.charCodeAt(0) <= 0x5a) {
      const colon = line.indexOf(':');
      if (current !== undefined) note(current, line.slice(0, colon), line.slice(colon + 1));
      continue;
    }
    current = begin(line);
    if (current !== undefined) mappings.push(current);
  }
  return mappings;
}

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

/**
 * A mapping, and the lines of its fields, which begin with a capital. Most of the work is left to
 * the expression: this runs once, with a process standing still, before any compiler has seen it.
 */
const pattern =
  /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) ([0-9a-f]+) ([0-9a-f]+):([0-9a-f]+) (\d+) *(.*)\n((?:[A-Z].*\n)*)/gm;

const hex = (text = '0'): bigint => BigInt(`0x${text}`);

/** makedev(3) */
export function makeDevice(major: bigint, minor: bigint): bigint {
  const low = (minor & 0xffn) | ((major & 0xfffn) << 8n);
  return low | ((minor & ~0xffn) << 12n) | ((major & ~0xfffn) << 32n);
}

/** "Anonymous:            12 kB", in bytes; 0 where there is no such line. */
function kibibytes(fields: string, name: string): bigint {
  const at = fields.indexOf(name);
  return at < 0 ? 0n : BigInt(Number.parseInt(fields.slice(at + name.length), 10)) * 1024n;
}

/** The rest of a line. */
function rest(fields: string, name: string): string {
  const at = fields.indexOf(name);
  return at < 0 ? '' : fields.slice(at + name.length, fields.indexOf('\n', at)).trim();
}

/** Reads /proc/PID/smaps, by ascending address. Lines that are not used are passed over. */
export function parseSmaps(bytes: Uint8Array): readonly Mapping[] {
  return Array.from(decodeText(bytes).matchAll(pattern), (match) => {
    const [, start, end, permissions = '', offset, major, minor, inode = '0'] = match;
    const [name = '', fields = ''] = match.slice(8);
    const swapped = kibibytes(fields, 'Swap:');
    return {
      start: hex(start),
      end: hex(end),
      permissions,
      offset: hex(offset),
      device: makeDevice(hex(major), hex(minor)),
      inode: BigInt(inode),
      name,
      own: kibibytes(fields, 'Anonymous:') + swapped,
      swapped,
      alsoElsewhere: kibibytes(fields, 'Shared_Clean:') + kibibytes(fields, 'Shared_Dirty:'),
      protectionKey: Number(rest(fields, 'ProtectionKey:')),
      flags: new Set(rest(fields, 'VmFlags:').split(' ').filter(Boolean)),
    };
  });
}

import { decodeText, encodeText } from '@ckpt/io';

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
  /** Bytes of its pages: KernelPageSize. */
  readonly pageSize: number;
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

/** All zeros are one. */
const compact = (number: bigint): bigint => (number === 0n ? 0n : number);

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

/** What many mappings share is kept once: of a text, its own copy, not a part of all the text. */
class Shared {
  readonly #texts = new Map<string, string>();
  readonly #flags = new Map<string, ReadonlySet<string>>();

  text(text: string): string {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    const copy = decodeText(encodeText(text));
    this.#texts.set(copy, copy);
    return copy;
  }

  flags(line: string): ReadonlySet<string> {
    const known = this.#flags.get(line);
    if (known !== undefined) return known;
    const flags = new Set(
      line
        .split(' ')
        .filter(Boolean)
        .map((flag) => this.text(flag)),
    );
    this.#flags.set(this.text(line), flags);
    return flags;
  }
}

function* mappingsIn(text: string, shared: Shared): Generator<Mapping, void, undefined> {
  for (const match of text.matchAll(pattern)) {
    const [, start, end, permissions = '', offset, major, minor, inode] = match;
    const [name = '', fields = ''] = match.slice(8);
    const swapped = kibibytes(fields, 'Swap:');
    const ownInMemory = kibibytes(fields, 'Anonymous:');
    const elsewhere =
      kibibytes(fields, 'Shared_Clean:') +
      kibibytes(fields, 'Shared_Dirty:') +
      kibibytes(fields, 'Shared_Hugetlb:');
    const device = makeDevice(hex(major), hex(minor));
    yield {
      start: hex(start),
      end: hex(end),
      permissions: shared.text(permissions),
      offset: compact(hex(offset)),
      device: compact(device),
      inode: compact(BigInt(inode ?? 0)),
      name: shared.text(name),
      own: compact(ownInMemory + swapped),
      swapped: compact(swapped),
      alsoElsewhere: compact(elsewhere),
      pageSize: Number(kibibytes(fields, 'KernelPageSize:')),
      protectionKey: Number(rest(fields, 'ProtectionKey:')),
      flags: shared.flags(rest(fields, 'VmFlags:')),
    };
  }
}

const newline = 0x0a;
/** What the lines of fields begin with. */
const isCapital = (byte = 0): boolean => byte >= 0x41 && byte <= 0x5a;

/** Where the last mapping begins, of which there may be more to come; 0: nothing is whole. */
function lastStart(bytes: Uint8Array): number {
  for (let at = bytes.lastIndexOf(newline); at > 0; at = bytes.lastIndexOf(newline, at - 1)) {
    if (at + 1 < bytes.length && !isCapital(bytes[at + 1])) return at + 1;
  }
  return 0;
}

/** Texts of whole mappings, from the parts of all of it. */
function* wholeMappings(parts: Iterable<Uint8Array>): Generator<string, void, undefined> {
  let left = new Uint8Array(0);
  for (const part of parts) {
    const bytes = new Uint8Array(left.length + part.length);
    bytes.set(left);
    bytes.set(part, left.length);
    const end = lastStart(bytes);
    if (end > 0) yield decodeText(bytes.subarray(0, end));
    left = bytes.slice(end);
  }
  yield decodeText(left);
}

/**
 * Reads /proc/PID/smaps, by ascending address. Lines that are not used are passed over. In parts,
 * so that ten thousands of mappings, 700 bytes of text each, are never in memory as a whole.
 */
export function parseSmaps(smaps: Uint8Array | Iterable<Uint8Array>): readonly Mapping[] {
  const shared = new Shared();
  const mappings: Mapping[] = [];
  for (const text of wholeMappings(smaps instanceof Uint8Array ? [smaps] : smaps)) {
    for (const mapping of mappingsIn(text, shared)) mappings.push(mapping);
  }
  return mappings;
}

import { decodeText } from '@ckpt/io';

/** A mapping as smaps tells it, without what only says where its pages happen to be. */
export interface PlainMapping {
  readonly start: bigint;
  readonly end: bigint;
  readonly permissions: string;
  readonly offset: bigint;
  /** Name, and for what has none of its own which object it is. */
  readonly what: string;
  readonly flags: string;
  readonly isPrivateAnonymous: boolean;
}

const header = /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) ([0-9a-f]+) (\S+) (\d+) *(.*)$/;
const vdsoNames = ['[vvar]', '[vvar_vclock]', '[vdso]'];

/** Soft-dirty pages, and guard pages that there were once: told of pages, not of the mapping. */
const passing = ['sd', 'gu'];

const hex = (text = '0'): bigint => BigInt(`0x${text}`);

interface Draft extends Omit<PlainMapping, 'flags'> {
  flags: string;
}

/** Objects without a name are told apart by a number, in the order of their addresses. */
class Objects {
  readonly #known = new Map<string, number>();

  of(key: string): number {
    const number = this.#known.get(key) ?? this.#known.size + 1;
    this.#known.set(key, number);
    return number;
  }
}

const deletedMark = ' (deleted)';

/** A deleted file comes back under another name, which is deleted too. */
const plainName = (name: string): string =>
  /^\/(?!memfd:|dev\/zero)/.test(name) && name.endsWith(deletedMark) ? 'deleted' : name;

function begin(line: string, objects: Objects): Draft | undefined {
  const [, start, end, permissions = '', offset, device = '', inode = '0', name = ''] =
    header.exec(line) ?? [];
  if (start === undefined) return undefined;
  const isVdso = vdsoNames.includes(name);
  const isPath = name.startsWith('/') && !name.endsWith(deletedMark);
  const object = isPath || inode === '0' ? '' : ` object ${objects.of(`${device} ${inode}`)}`;
  return {
    start: hex(start),
    end: hex(end),
    permissions: isVdso ? '' : permissions,
    offset: hex(offset),
    what: isVdso ? '[vdso]' : `${plainName(name)}${object}`,
    flags: '',
    isPrivateAnonymous: inode === '0' && !isVdso,
  };
}

/** True where the kernel may show two neighbours as one mapping. */
function joins(a: Draft, b: Draft): boolean {
  const follows =
    a.isPrivateAnonymous || a.what === '[vdso]' || a.offset + a.end - a.start === b.offset;
  return (
    a.end === b.start &&
    follows &&
    a.permissions === b.permissions &&
    a.what === b.what &&
    a.flags === b.flags
  );
}

/** Mappings of /proc/PID/smaps; neighbours that differ in nothing are one. */
export function plainMappings(bytes: Uint8Array): readonly PlainMapping[] {
  const objects = new Objects();
  const all: Draft[] = [];
  for (const line of decodeText(bytes).split('\n')) {
    const flags = /^VmFlags:(.*)$/.exec(line)?.[1];
    const last = all.at(-1);
    if (flags !== undefined && last !== undefined && last.what !== '[vdso]') {
      const kept = flags.split(' ').filter((flag) => flag !== '' && !passing.includes(flag));
      last.flags = kept.sort().join(' ');
    }
    const next = begin(line, objects);
    if (next !== undefined) all.push(next);
  }
  const joined: Draft[] = [];
  for (const mapping of all.filter(({ what }) => what !== '[vsyscall]')) {
    const last = joined.at(-1);
    if (last !== undefined && joins(last, mapping)) {
      joined[joined.length - 1] = { ...last, end: mapping.end };
    } else joined.push(mapping);
  }
  return joined;
}

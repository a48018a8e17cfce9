import { CkptError } from '@ckpt/format';

/** A mapping by name in /proc/PID/maps. */
export interface Range {
  readonly start: bigint;
  readonly end: bigint;
}

/** The first mapping of that name in the text of /proc/PID/maps. */
export function findMapping(maps: string, name: string): Range | undefined {
  for (const line of maps.split('\n')) {
    if (!line.endsWith(` ${name}`)) continue;
    const [, start = '', end = ''] = /^([0-9a-f]+)-([0-9a-f]+) /.exec(line) ?? [];
    return { start: BigInt(`0x${start}`), end: BigInt(`0x${end}`) };
  }
  return undefined;
}

/**
 * Bytes of a vdso's ELF image; what follows in its mapping is a zero tail. The section headers are
 * the last thing in it (the kernel's build strips the vdso and pads it to a page).
 * @throws CkptError ENOEXEC when it is not an ELF image of x86-64.
 */
export function elfLength(vdso: Buffer): number {
  if (vdso.length < 64 || vdso.readUInt32BE(0) !== 0x7f454c46 || vdso.readUInt16LE(18) !== 62) {
    throw new CkptError('ENOEXEC', 'the vdso is not an ELF image of x86-64');
  }
  const sectionHeaders = Number(vdso.readBigUInt64LE(40));
  const sections = sectionHeaders + vdso.readUInt16LE(58) * vdso.readUInt16LE(60);
  const segments = Number(vdso.readBigUInt64LE(32));
  let end = Math.max(sections, 64);
  for (let i = 0; i < vdso.readUInt16LE(56); i++) {
    const header = segments + i * vdso.readUInt16LE(54);
    if (header + 56 > vdso.length || vdso.readUInt32LE(header) !== 1) continue; // not PT_LOAD
    end = Math.max(
      end,
      Number(vdso.readBigUInt64LE(header + 8) + vdso.readBigUInt64LE(header + 32)),
    );
  }
  return Math.min(end, vdso.length);
}

const align = 16;

/** The zero tail of a vdso that is mapped at `range`; empty when the image fills its pages. */
export function vdsoTail(range: Range, length: number): Range {
  const start = range.start + BigInt(Math.ceil(length / align) * align);
  return { start: start < range.end ? start : range.end, end: range.end };
}

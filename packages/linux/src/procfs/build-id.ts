/** Reads bytes of a file; fewer where it ends. */
export type ReadAt = (offset: bigint, length: number) => Uint8Array;

/** Bytes in which nearly all programs have their headers and their build id. */
const headLength = 4096;
/** Bytes of notes that are looked at. */
const notesMax = 1 << 16;

/** elf(5) */
const programHeaderSize = 56;
const PT_NOTE = 4;
const NT_GNU_BUILD_ID = 3;

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** True for the start of a 64-bit, little-endian ELF file. */
function isElf(bytes: Uint8Array): boolean {
  const magic = [0x7f, 0x45, 0x4c, 0x46, 2, 1];
  return bytes.length >= 64 && magic.every((byte, index) => bytes[index] === byte);
}

/** The build id among notes: { name size, size, type } and both, padded. */
function inNotes(notes: Uint8Array, align: number): Uint8Array | undefined {
  const view = viewOf(notes);
  const padded = (size: number): number => Math.ceil(size / align) * align;
  for (let at = 0; at + 16 <= notes.length;) {
    const nameSize = view.getUint32(at, true);
    const size = view.getUint32(at + 4, true);
    const start = at + padded(12 + nameSize);
    const isGnu = nameSize === 4 && view.getUint32(at + 12, true) === 0x55_4e47;
    if (isGnu && view.getUint32(at + 8, true) === NT_GNU_BUILD_ID) {
      return start + size <= notes.length ? notes.slice(start, start + size) : undefined;
    }
    at = start + padded(size);
  }
  return undefined;
}

/**
 * What a linker wrote into a program or library to tell this build from all others: the note
 * NT_GNU_BUILD_ID of elf(5).
 * @returns undefined for a file that has none, or is no 64-bit ELF file.
 */
export function buildIdOf(readAt: ReadAt): Uint8Array | undefined {
  const head = readAt(0n, headLength);
  if (!isElf(head)) return undefined;
  const view = viewOf(head);
  const first = Number(view.getBigUint64(32, true));
  const count = view.getUint16(56, true);
  for (let index = 0; index < count; index++) {
    const at = first + index * programHeaderSize;
    if (at + programHeaderSize > head.length) return undefined;
    if (view.getUint32(at, true) !== PT_NOTE) continue;
    const offset = view.getBigUint64(at + 8, true);
    const wanted = view.getBigUint64(at + 32, true);
    const length = wanted < BigInt(notesMax) ? Number(wanted) : notesMax;
    const isHere = offset + BigInt(length) <= BigInt(head.length);
    const start = Number(offset);
    const notes = isHere ? head.subarray(start, start + length) : readAt(offset, length);
    const found = inNotes(notes, view.getBigUint64(at + 48, true) === 8n ? 8 : 4);
    if (found !== undefined) return found;
  }
  return undefined;
}

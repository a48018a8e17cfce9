import { CkptError } from '@ckpt/format';

/** A function that a vdso offers, under all its names. */
export interface VdsoFunction {
  /** "__vdso_time" and "time". */
  readonly names: readonly string[];
  /** Bytes from the start of the image. */
  readonly offset: number;
  /** Bytes of code. */
  readonly size: number;
}

/** elf(5): a header's places, a section's and a symbol's. */
const headerSize = 64;
const sectionSize = 64;
const symbolSize = 24;
const SHT_DYNSYM = 11;
const PT_LOAD = 1;
const STT_FUNC = 2;

/** More than any vdso has: bytes, symbols, characters of a name. */
const lengthMax = 1 << 16;
const symbolsMax = 256;
const nameMax = 64;

function wrong(sentence: string): CkptError {
  return new CkptError('ENOEXEC', `the vdso ${sentence}`);
}

/** Numbers of an ELF image, which may say anything. */
class Elf {
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    if (bytes.length > lengthMax) throw wrong(`has ${bytes.length} bytes`);
    const isElf = bytes.length >= headerSize && this.#view.getUint32(0) === 0x7f454c46;
    if (!isElf || bytes[4] !== 2 || this.u16(18) !== 62) throw wrong('is no ELF image of x86-64');
  }

  get length(): number {
    return this.#view.byteLength;
  }

  u16(at: number): number {
    return this.#view.getUint16(this.#within(at, 2), true);
  }

  u32(at: number): number {
    return this.#view.getUint32(this.#within(at, 4), true);
  }

  /** @throws CkptError for what is beyond the image, as an offset or a length. */
  place(at: number): number {
    const value = this.#view.getBigUint64(this.#within(at, 8), true);
    if (value > BigInt(this.length)) throw wrong('leads out of itself');
    return Number(value);
  }

  u64(at: number): bigint {
    return this.#view.getBigUint64(this.#within(at, 8), true);
  }

  text(at: number): string {
    let text = '';
    for (let byte = this.#byte(at); byte !== 0; byte = this.#byte(++at)) {
      if (text.length >= nameMax) throw wrong('has a name without end');
      text += String.fromCharCode(byte);
    }
    return text;
  }

  #byte(at: number): number {
    return this.#view.getUint8(this.#within(at, 1));
  }

  #within(at: number, size: number): number {
    if (at + size > this.length) throw wrong('leads out of itself');
    return at;
  }
}

/** Address that the image was linked for: symbols count from there. */
function linkedAt(elf: Elf): bigint {
  const start = elf.place(32);
  for (let index = 0; index < elf.u16(56); index++) {
    const segment = start + index * elf.u16(54);
    if (elf.u32(segment) === PT_LOAD) return elf.u64(segment + 16) - elf.u64(segment + 8);
  }
  return 0n;
}

function symbolsOf(elf: Elf, section: number): readonly VdsoFunction[] {
  const [start, length] = [elf.place(section + 24), elf.place(section + 32)];
  const strings = elf.place(elf.place(40) + elf.u32(section + 40) * sectionSize + 24);
  const base = linkedAt(elf);
  if (length > symbolsMax * symbolSize) throw wrong('has too many symbols');
  const functions: VdsoFunction[] = [];
  for (let at = start; at + symbolSize <= start + length; at += symbolSize) {
    if ((elf.u32(at + 4) & 0xf) !== STT_FUNC || elf.u16(at + 6) === 0) continue;
    const offset = elf.u64(at + 8) - base;
    const size = elf.place(at + 16);
    if (offset < 0n || offset + BigInt(size) > BigInt(elf.length))
      throw wrong('leads out of itself');
    functions.push({ names: [elf.text(strings + elf.u32(at))], offset: Number(offset), size });
  }
  return functions;
}

function dynamicSymbols(elf: Elf, sections: number): readonly VdsoFunction[] {
  for (let index = 0; index < elf.u16(60); index++) {
    const section = sections + index * sectionSize;
    if (elf.u32(section + 4) === SHT_DYNSYM) return symbolsOf(elf, section);
  }
  throw wrong('has no symbols');
}

/**
 * The functions of a vdso, by ascending offset.
 * @throws CkptError ENOEXEC for what is no such image.
 */
export function vdsoFunctions(bytes: Uint8Array): readonly VdsoFunction[] {
  const elf = new Elf(bytes);
  const sections = elf.place(40);
  if (elf.u16(58) !== sectionSize) throw wrong('has sections of another size');
  const byOffset = new Map<number, VdsoFunction>();
  for (const one of dynamicSymbols(elf, sections)) {
    const known = byOffset.get(one.offset);
    const names = [...(known?.names ?? []), ...one.names];
    byOffset.set(one.offset, { ...one, names, size: Math.max(one.size, known?.size ?? 0) });
  }
  return [...byOffset.values()].sort((a, b) => a.offset - b.offset);
}

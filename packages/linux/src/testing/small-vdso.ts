/** A function of a vdso made for a test. */
export interface SmallFunction {
  readonly name: string;
  readonly offset: number;
  readonly size?: number;
}

const codeStart = 0x400;
const length = 0x800;

/** An ELF image of x86-64 with some functions and nothing else; its code is zeros. elf(5) */
export function smallVdso(functions: readonly SmallFunction[]): Uint8Array {
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(18, 62, true);
  const [sections, symbols, strings] = [64, 256, 0x300];
  view.setUint32(40, sections, true);
  view.setUint16(58, 64, true);
  view.setUint16(60, 2, true);
  view.setUint32(sections + 4, 11, true);
  view.setUint32(sections + 24, symbols, true);
  view.setUint32(sections + 32, functions.length * 24, true);
  view.setUint32(sections + 40, 1, true);
  view.setUint32(sections + 64 + 24, strings, true);
  let text = strings + 1;
  for (const [index, { name, offset, size = 32 }] of functions.entries()) {
    const at = symbols + index * 24;
    view.setUint32(at, text - strings, true);
    view.setUint8(at + 4, 0x12);
    view.setUint16(at + 6, 1, true);
    view.setUint32(at + 8, codeStart + offset, true);
    view.setUint32(at + 16, size, true);
    bytes.set(new TextEncoder().encode(name), text);
    text += name.length + 1;
  }
  return bytes;
}

/** Where the code begins: offsets of functions count from there. */
export const smallVdsoCode = codeStart;

import { expect, test } from 'vitest';
import { buildIdOf } from './build-id.ts';

const id = Uint8Array.of(0xde, 0xad, 0xbe, 0xef, 1, 2, 3);

/** A 64-bit ELF file whose notes are at `offset`: one of another type, then the build id. */
function elf(offset: number, align = 4): Uint8Array {
  const bytes = new Uint8Array(offset + 200);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
  view.setBigUint64(32, 64n, true);
  view.setUint16(56, 2, true);
  view.setUint32(64, 1, true);
  const header = 64 + 56;
  view.setUint32(header, 4, true);
  view.setBigUint64(header + 8, BigInt(offset), true);
  view.setBigUint64(header + 32, 200n, true);
  view.setBigUint64(header + 48, BigInt(align), true);
  const note = (at: number, type: number, content: Uint8Array): void => {
    view.setUint32(at, 4, true);
    view.setUint32(at + 4, content.length, true);
    view.setUint32(at + 8, type, true);
    bytes.set([0x47, 0x4e, 0x55, 0], at + 12);
    bytes.set(content, at + 16);
  };
  note(offset, 1, new Uint8Array(16));
  note(offset + 32, 3, id);
  return bytes;
}

const reading =
  (bytes: Uint8Array) =>
  (offset: bigint, length: number): Uint8Array =>
    bytes.subarray(Number(offset), Number(offset) + length);

test('a build id is found among the notes, near the headers and far from them', () => {
  expect(buildIdOf(reading(elf(400)))).toEqual(id);
  expect(buildIdOf(reading(elf(400, 8)))).toEqual(id);
  expect(buildIdOf(reading(elf(9000)))).toEqual(id);
});

test('what is no program, or is cut, has none', () => {
  expect(buildIdOf(reading(new Uint8Array(100)))).toBeUndefined();
  expect(buildIdOf(reading(new Uint8Array(0)))).toBeUndefined();
  const whole = elf(400);
  for (let length = 0; length < 455; length++) {
    expect(buildIdOf(reading(whole.subarray(0, length)))).toBeUndefined();
  }
});

test('notes that claim to be huge end the search', () => {
  const bytes = elf(400);
  new DataView(bytes.buffer).setUint32(404, 0xffff_ffff, true);
  expect(buildIdOf(reading(bytes))).toBeUndefined();
});

import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { expect, test } from 'vitest';
import { elfLength, findMapping, vdsoTail } from './vdso.ts';

const isHere = process.platform === 'linux' && process.arch === 'x64';

test('a mapping is found by its whole name', () => {
  const maps =
    '7f00-8000 r--p 00000000 00:00 0                          [vvar]\n' +
    '8000-a000 r--p 00000000 00:00 0                          [vvar_vclock]\n' +
    'a000-c000 r-xp 00000000 00:00 0                          [vdso]\n';
  expect(findMapping(maps, '[vdso]')).toEqual({ start: 0xa000n, end: 0xc000n });
  expect(findMapping(maps, '[vvar]')).toEqual({ start: 0x7f00n, end: 0x8000n });
  expect(findMapping(maps, '[stack]')).toBeUndefined();
});

test('the tail starts behind the image, aligned, or is empty', () => {
  const range = { start: 0xa000n, end: 0xc000n };
  expect(vdsoTail(range, 0x1a11)).toEqual({ start: 0xba20n, end: 0xc000n });
  expect(vdsoTail(range, 0x2000)).toEqual({ start: 0xc000n, end: 0xc000n });
});

test('what is no ELF image of x86-64 is refused', () => {
  expect(() => elfLength(Buffer.alloc(8192))).toThrow(/ENOEXEC/);
  expect(() => elfLength(Buffer.alloc(3))).toThrow(/ENOEXEC/);
});

test.skipIf(!isHere)('the tail of this kernel’s vdso is zero, and behind all that is used', () => {
  const range = findMapping(readFileSync('/proc/self/maps', 'latin1'), '[vdso]');
  if (range === undefined) return;
  const vdso = Buffer.alloc(Number(range.end - range.start));
  const fd = openSync('/proc/self/mem', 'r');
  readSync(fd, vdso, 0, vdso.length, range.start);
  closeSync(fd);
  const length = elfLength(vdso);
  expect(length).toBeGreaterThan(4000);
  expect(vdso.subarray(length).every((byte) => byte === 0)).toBe(true);
});

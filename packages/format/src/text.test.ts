import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeBytes, escapeText } from './text.ts';

describe('text', () => {
  it.each([
    ['plain ones stay: é, 漢, 😀', 'plain ones stay: é, 漢, 😀'],
    ['a\nb\tc\r', String.raw`a\nb\tc\r`],
    ['\0', String.raw`\0`],
    ['\x1b[31mred\x07', String.raw`\x1b[31mred\x07`],
    ['\x9b31m', String.raw`\x9b31m`],
    ['\x7f', String.raw`\x7f`],
    ['C:\\n', String.raw`C:\\n`],
    ['\u202egnp.exe', String.raw`\u{202e}gnp.exe`],
    ['\u2028\ufeff\ud800', String.raw`\u{2028}\u{feff}\u{d800}`],
    ['\u{e0041}', String.raw`\u{e0041}`],
  ])('%j is shown as %s', (text, shown) => {
    expect(escapeText(text)).toBe(shown);
  });
});

describe('bytes', () => {
  it.each([
    ['c3a9', 'é'],
    ['c3', String.raw`\xc3`],
    ['c328', String.raw`\xc3(`],
    ['c0af', String.raw`\xc0\xaf`],
    ['eda080', String.raw`\xed\xa0\x80`],
    ['f09f9880', '😀'],
    ['f09f98', String.raw`\xf0\x9f\x98`],
    ['f4908080', String.raw`\xf4\x90\x80\x80`],
    ['e28080ff', String.raw`${'\u2000'}\xff`],
    ['e280ae', String.raw`\u{202e}`],
  ])('%s are shown as %s', (digits, shown) => {
    expect(escapeBytes(Buffer.from(digits, 'hex'))).toBe(shown);
  });

  it('of well-formed text are shown as the text is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(escapeBytes(new TextEncoder().encode(text))).toBe(escapeText(text));
      }),
    );
  });

  it('never reach a terminal as they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(escapeBytes(bytes)).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
      }),
    );
  });
});

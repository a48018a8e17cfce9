import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clipText, decodeText, encodeText } from './text.ts';

describe('text', () => {
  it('ends at its first NUL, and keeps a byte order mark', () => {
    expect(decodeText(new Uint8Array([97, 0, 98]))).toBe('a');
    expect(decodeText(new Uint8Array([0xef, 0xbb, 0xbf, 97]))).toBe('\ufeffa');
  });

  it('is clipped before the character that would not fit', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(20), (text, max) => {
        const bytes = encodeText(text.replaceAll('\0', ''));
        const end = clipText(bytes, max);
        expect(end).toBeLessThanOrEqual(max);
        expect(end).toBeGreaterThan(Math.min(bytes.length, max) - 4);
        expect(encodeText(decodeText(bytes.subarray(0, end)))).toEqual(bytes.subarray(0, end));
      }),
    );
  });
});

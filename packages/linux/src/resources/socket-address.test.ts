import { describe, expect, test } from 'vitest';
import { inet, unix } from '../testing/socket-answers.ts';
import { addressText, isAddress, isBound } from './socket-address.ts';

/** struct sockaddr_in6 */
const inet6 = (port: number, ...words: readonly number[]): Uint8Array => {
  const bytes = new Uint8Array(28);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 10, true);
  view.setUint16(2, port, false);
  for (const [index, word] of words.entries()) view.setUint16(8 + index * 2, word, false);
  return bytes;
};
const abstract = Uint8Array.of(1, 0, 0, 110, 97, 109, 101);

describe('an address', () => {
  test.for<[string, Uint8Array]>([
    ['127.0.0.1:80', inet(80)],
    ['10.1.2.255:65535', inet(65535, 10, 1, 2, 255)],
    ['[::1]:80', inet6(80, 0, 0, 0, 0, 0, 0, 0, 1)],
    ['[::]:443', inet6(443)],
    ['[fe80::1:0:0:2]:1', inet6(1, 0xfe80, 0, 0, 0, 1, 0, 0, 2)],
    ['[1:2:3:4:5:6:7:8]:1', inet6(1, 1, 2, 3, 4, 5, 6, 7, 8)],
    ['/run/x.sock', unix('/run/x.sock')],
    ['@name', abstract],
    ['an address of family 16', Uint8Array.of(16, 0)],
  ])('is shown as %s', ([shown, bytes]) => {
    expect(addressText(bytes)).toBe(shown);
  });

  test('is bound when it has a port, an address or a name', () => {
    const bound = [inet(80), inet(0, 1, 2, 3, 4), inet6(1), unix('/x'), abstract];
    expect(bound.map(isBound)).toEqual(bound.map(() => true));
    const free = [inet(0, 0, 0, 0, 0), inet6(0), Uint8Array.of(1, 0)];
    expect(free.map(isBound)).toEqual(free.map(() => false));
  });

  test('fits its domain alone', () => {
    expect(isAddress(2, inet(80))).toBe(true);
    expect(isAddress(10, inet(80))).toBe(false);
    expect(isAddress(2, inet(80).subarray(0, 8))).toBe(false);
    expect(isAddress(1, abstract)).toBe(true);
    expect(isAddress(1, new Uint8Array(111).fill(1, 0, 1))).toBe(false);
  });
});

import { describe, expect, it } from 'vitest';
import { MemoryFile } from './memory-file.ts';
import { refusal } from './testing/files.ts';

describe('a memory file', () => {
  it('has one position for reading and writing', () => {
    const file = new MemoryFile(new Uint8Array([1, 2, 3, 4]));
    const into = new Uint8Array(2);
    expect(file.read(into)).toBe(2);
    expect(file.write(new Uint8Array([9]))).toBe(1);
    expect(file.bytes).toEqual(new Uint8Array([1, 2, 9, 4]));
    expect(file.position).toBe(3);
  });

  it('leaves the bytes it was made of alone', () => {
    const given = new Uint8Array([1, 2]);
    const file = new MemoryFile(given);
    file.write(new Uint8Array([7, 8, 9]));
    expect(given).toEqual(new Uint8Array([1, 2]));
    expect(file.bytes).toEqual(new Uint8Array([7, 8, 9]));
  });

  it('gives its content as a copy', () => {
    const file = new MemoryFile(Buffer.from('abc'));
    file.bytes[0] = 0;
    expect(file.bytes).toEqual(new Uint8Array([97, 98, 99]));
  });

  it('grows in place, to its bound', () => {
    const file = new MemoryFile(undefined, { lengthMax: 10_000 });
    for (let round = 0; round < 100; round++) expect(file.write(new Uint8Array(100))).toBe(100);
    expect(file.length).toBe(10_000);
    expect(refusal(() => file.write(new Uint8Array(1))).code).toBe('ENOSPC');
    expect(file.write(new Uint8Array(0))).toBe(0);
  });

  it('skips to its end and no further', () => {
    const file = new MemoryFile(new Uint8Array(10));
    expect(file.skip(4)).toBe(4);
    expect(file.skip(100)).toBe(6);
    expect(file.skip(1)).toBe(0);
  });
});

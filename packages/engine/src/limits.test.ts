import { ArrayHeader, Header, Tree } from '@ckpt/format';
import { MemoryFile, type CkptFile } from '@ckpt/io';
import { describe, expect, it } from 'vitest';
import { createEngine, verifyImage } from './engine.ts';
import { limits } from './limits.ts';
import { caught } from './testing/caught.ts';
import { FakeHost } from './testing/fake-host.ts';

const file = new MemoryFile();
createEngine(new FakeHost()).checkpoint(4242, file);
const image = file.bytes;

/** Bytes before the records of the kinds: opening, FEATURES to CONTAINER, TREE, ARRAY of one thread. */
const fixed = Header.size + 3 * 73 + 24 + 64 + 32 + 8 + Tree.size + ArrayHeader.size + 32;

/** An image that goes on for ever behind its first bytes. */
function endless(record: Uint8Array): { file: CkptFile; read: () => number } {
  let at = 0;
  let taken = 0;
  const read = (into: Uint8Array): number => {
    if (at < fixed) {
      const part = image.subarray(at, Math.min(fixed, at + into.length));
      into.set(part);
      at += part.length;
      return part.length;
    }
    for (let index = 0; index < into.length; index++) {
      into[index] = record[(taken + index) % record.length] ?? 0;
    }
    taken += into.length;
    return into.length;
  };
  return { file: { read, write: () => 0 }, read: () => taken };
}

const skippable = (length: number): Uint8Array => {
  const bytes = new Uint8Array(length);
  new DataView(bytes.buffer).setUint32(0, 0x80000777, true);
  new DataView(bytes.buffer).setUint32(4, length, true);
  return bytes;
};

describe('metadata without end', () => {
  it('of many records is refused', () => {
    const { file, read } = endless(skippable(8));
    expect(caught(() => verifyImage(file)).code).toBe('E2BIG');
    expect(read()).toBeLessThanOrEqual(limits.records * 8);
  });

  it('of long records is refused', () => {
    const { file, read } = endless(skippable(9 << 20));
    expect(caught(() => verifyImage(file)).code).toBe('EINVAL');
    expect(read()).toBeLessThanOrEqual(limits.metadata);
  });

  it('is not allocated on the word of an image', () => {
    const bytes = new Uint8Array(fixed + 8);
    bytes.set(image.subarray(0, fixed));
    bytes.set(skippable(8), fixed);
    new DataView(bytes.buffer).setUint32(fixed + 4, 60 << 20, true);
    const before = process.memoryUsage().arrayBuffers;
    expect(caught(() => verifyImage(new MemoryFile(bytes))).code).toBe('EPIPE');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 << 20);
  });
});

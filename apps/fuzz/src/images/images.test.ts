import { seeded } from '@ckpt/format';
import { verifyImage } from '@ckpt/engine';
import { MemoryFile } from '@ckpt/io';
import { describe, expect, it } from 'vitest';
import { baseImage } from './base-image.ts';
import { mutatedProcess, mutatedSeed } from './mutate.ts';
import { processImage } from './process-image.ts';
import { joined, sealed, split } from './records.ts';
import { builtInSeeds, sortSeeds } from './seeds.ts';

const verify = (bytes: Uint8Array) => verifyImage(new MemoryFile(bytes));

describe('made images', () => {
  it('are valid', () => {
    const random = seeded(9);
    for (let round = 0; round < 50; round++) {
      expect(verify(baseImage(random))).toMatchObject({ revision: 3, length: 363 });
      const image = processImage(random);
      expect(verify(image)).toMatchObject({ revision: 100, length: image.length });
    }
    expect(verify(processImage(() => 0))).toMatchObject({ revision: 100, pages: 0 });
  });

  it('are the same from the same numbers', () => {
    expect(processImage(seeded(3))).toEqual(processImage(seeded(3)));
    expect(processImage(seeded(3))).not.toEqual(processImage(seeded(4)));
  });

  it('are sealed again when a record was taken out, pages and all', () => {
    const random = seeded(4);
    for (let round = 0; round < 50; round++) {
      const parts = split(processImage(random));
      // The last record before STORE, META_END and what follows.
      const at = parts.findIndex((part) => part[0] === 0x25 && part[1] === 3);
      if (at <= 12) continue;
      const image = sealed([...parts.slice(0, 12), ...parts.slice(at)]);
      expect(verify(image)).toMatchObject({ revision: 100, length: image.length });
    }
  });

  it('fall apart into records, and what is no record stays', () => {
    const image = builtInSeeds().base[0] ?? new Uint8Array();
    expect(split(image).map(({ length }) => length)).toEqual([56, 73, 73, 73, 8, 40, 24, 16]);
    const cut = image.subarray(0, 130);
    expect(split(cut).map(({ length }) => length)).toEqual([56, 73, 1]);
    expect(joined(split(cut))).toEqual(cut);
  });
});

describe('seeds', () => {
  const seeds = builtInSeeds();

  it('are sorted by their revision', () => {
    const { base, process } = sortSeeds([...seeds.process, ...seeds.base]);
    expect([base.length, process.length]).toEqual([seeds.base.length, seeds.process.length]);
  });

  it('stay as they are, whatever is made of them', () => {
    const random = seeded(5);
    const before = JSON.stringify(seeds.base.map((bytes) => [...bytes]));
    let different = 0;
    for (let round = 0; round < 2000; round++) {
      const bytes = mutatedSeed(random, seeds.base);
      mutatedProcess(random, seeds.process);
      if (!seeds.base.some((seed) => seed === bytes)) different += 1;
    }
    expect(JSON.stringify(seeds.base.map((bytes) => [...bytes]))).toBe(before);
    expect(different).toBeGreaterThan(1800);
  });
});

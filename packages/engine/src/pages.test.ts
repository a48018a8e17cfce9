import { pagesMax } from '@ckpt/format';
import { MemoryFile, walkRecords } from '@ckpt/io';
import { describe, expect, it } from 'vitest';
import { createEngine, verifyImage } from './engine.ts';
import type { Resource } from './resource.ts';
import { PageStore } from './store.ts';
import { caught } from './testing/caught.ts';
import { FakeHost, memoryOf, pageSize } from './testing/fake-host.ts';
import { cpu } from './testing/toy-kinds.ts';

/** Many runs of pages, some of them neighbours. */
const heap = (pages: readonly number[]): Resource => ({
  ...{ kind: 'heap', records: [], restore: () => undefined },
  checkpoint: ({ store, task }) => {
    for (const [index, count] of pages.entries()) {
      store.add({ memory: BigInt(index) << 25n, task }, count);
    }
  },
});

describe('stored pages', () => {
  const runs = [1, 4095, 3, 4096, 2];
  const pages = runs.reduce((sum, count) => sum + count, 0);
  const host = () => new FakeHost({ resources: [cpu, heap(runs)], copyRuns: true });
  const file = new MemoryFile();
  createEngine(host()).checkpoint(1, file);

  it('are in records of 16 MiB at most, aligned', () => {
    const stream = { file: new MemoryFile(file.bytes), total: 0 };
    const found = [...walkRecords(stream)].filter(({ type }) => type === 808);
    expect(found.map(({ length }) => length - 24)).toEqual([
      ...[pagesMax, pagesMax, (pages - 8192) * pageSize],
    ]);
    expect(found.every(({ position }) => (position + 24) % pageSize === 0)).toBe(true);
    expect(verifyImage(new MemoryFile(file.bytes)).pages).toBe(pages);
  });

  it('come back, whoever reads them', () => {
    const image = new MemoryFile(file.bytes);
    const heads: Uint8Array[] = [];
    const restarting = new FakeHost({
      resources: [cpu],
      run: (_plan, reader) => {
        while (reader.ready() > 0) {
          const head = new Uint8Array(8);
          image.read(head);
          heads.push(head);
          image.skip(pageSize - 8);
          reader.taken(1);
          reader.skip(Math.min(3, reader.ready()));
          const one = new Uint8Array(reader.ready() > 0 ? pageSize : 0);
          reader.read(one);
        }
      },
    });
    createEngine(restarting).restart(0, image);
    expect(heads[0]).toEqual(memoryOf(0n, 8));
    expect(heads).toHaveLength(Math.ceil(pages / 5));
    expect(image.position).toBe(file.length);
  });

  it('are no more than there are', () => {
    const image = new MemoryFile(file.bytes);
    const greedy = new FakeHost({
      resources: [cpu],
      run: (_plan, reader) => {
        reader.skip(pages + 1);
      },
    });
    expect(caught(() => createEngine(greedy).restart(0, image)).code).toBe('EINVAL');
  });

  it('are numbered in the order in which they are added', () => {
    const store = new PageStore(pageSize);
    expect([store.add({ bytes: new Uint8Array(4097) }, 2), store.pages]).toEqual([0, 2]);
    expect(store.add({ bytes: new Uint8Array(0) }, 0)).toBe(2);
    expect(caught(() => store.add({ bytes: new Uint8Array(4097) }, 1)).code).toBe('EINVAL');
    expect(caught(() => store.add({ bytes: new Uint8Array(1) }, -1)).code).toBe('EINVAL');
  });
});

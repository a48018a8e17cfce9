import { CKPT_HDR_ERROR } from '@ckpt/format';
import { describe, expect, it } from 'vitest';
import { ckptReadConsume } from './consume.ts';
import type { CkptFile, Stream } from './file.ts';
import { MemoryFile } from './memory-file.ts';
import { copyPayload, skipPayload } from './skip.ts';
import { EndlessFile, joined, MeasuredFile, recordBytes, refusal, same } from './testing/files.ts';
import { ckptKread } from './transfer.ts';
import { walkRecords } from './walk.ts';

/** Random enough to notice a chunk that is missing or twice there. */
const bytes = Uint8Array.from({ length: 700_000 }, (_, index) => (index * 7919) >> 3);

/** So many records of one type and length; their payload is zeros that are never in memory. */
function records(count: number, length: number): CkptFile {
  let left = 0;
  let begun = 0;
  const header = recordBytes(803, new Uint8Array(0), length);
  return {
    read(into) {
      if (left === 0) {
        if (begun++ === count) return 0;
        left = length - 8;
        into.set(header);
        return 8;
      }
      const done = Math.min(into.length, left);
      left -= done;
      return done;
    },
    write: () => 0,
  };
}

describe('skipping', () => {
  it.each([0, 1, 262_144, 262_145, 700_000])('moves by %d bytes', (length) => {
    const file = new MeasuredFile(bytes);
    const stream: Stream = { file, total: 0 };
    skipPayload(stream, length);
    expect([stream.total, file.inner.position]).toEqual([length, length]);
    expect(file.readMax).toBeLessThanOrEqual(262_144);
  });

  it('lets the file move by itself, and reads on where that ends', () => {
    const inner = new MemoryFile(bytes);
    const file: CkptFile = {
      read: (into) => inner.read(into),
      write: () => 0,
      skip: (length) => (inner.position < 1000 ? inner.skip(Math.min(length, 400)) : 0),
    };
    const stream: Stream = { file, total: 0 };
    skipPayload(stream, 5000);
    expect([stream.total, inner.position]).toEqual([5000, 5000]);
  });

  it('refuses what is not there, counting nothing', () => {
    const stream: Stream = { file: new MemoryFile(bytes.subarray(0, 99)), total: 8 };
    expect(
      refusal(() => {
        skipPayload(stream, 100, 4);
      }),
    ).toMatchObject({
      code: 'EPIPE',
      position: 8,
      type: 4,
      field: 'payload',
    });
    expect(stream.total).toBe(8);
  });

  it.each([-1, 0.5, NaN])('refuses to move by %d', (length) => {
    const stream: Stream = { file: new MemoryFile(bytes), total: 0 };
    expect(
      refusal(() => {
        skipPayload(stream, length);
      }).code,
    ).toBe('EINVAL');
    expect(
      refusal(() => {
        copyPayload(stream, length, stream.file);
      }).code,
    ).toBe('EINVAL');
  });
});

describe('copying', () => {
  it.each([0, 5, 262_144, 700_000])('takes %d bytes along', (length) => {
    const to = new MemoryFile(undefined, { writeMax: 100_000 });
    const stream: Stream = { file: new MemoryFile(bytes, { readMax: 70_000 }), total: 0 };
    copyPayload(stream, length, to);
    expect(same(to.bytes, bytes.subarray(0, length))).toBe(true);
    expect(stream.total).toBe(length);
  });

  it('passes on what was there before it says that the image ends', () => {
    const to = new MemoryFile();
    const stream: Stream = { file: new MemoryFile(bytes.subarray(0, 9)), total: 0 };
    expect(
      refusal(() => {
        copyPayload(stream, 10, to);
      }).code,
    ).toBe('EPIPE');
    expect([to.length, stream.total]).toEqual([9, 0]);
  });

  it('tells an error of the target without a position in the image', () => {
    const to = new MemoryFile(undefined, { lengthMax: 3 });
    const stream: Stream = { file: new MemoryFile(bytes), total: 0 };
    const error = refusal(() => {
      copyPayload(stream, 10, to);
    });
    expect(error).toMatchObject({ code: 'ENOSPC', position: undefined });
  });

  it('moves gigabytes in a few megabytes', () => {
    const to = new EndlessFile();
    const stream: Stream = { file: new EndlessFile(), total: 0 };
    const before = process.memoryUsage().arrayBuffers;
    copyPayload(stream, 2 ** 31 + 5, to);
    expect([stream.total, to.taken]).toEqual([2 ** 31 + 5, 2 ** 31 + 5]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * 2 ** 20);
  });
});

describe('walking', () => {
  it('over 64 GiB takes a few megabytes', () => {
    const stream: Stream = { file: records(16, 2 ** 32 - 1), total: 0 };
    const before = process.memoryUsage().arrayBuffers;
    let count = 0;
    for (const { type } of walkRecords(stream)) count += Number(type === 803);
    expect([count, stream.total]).toEqual([16, 16 * (2 ** 32 - 1)]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * 2 ** 20);
  });

  it('skips what the caller left of a payload', () => {
    const one = recordBytes(7, new Uint8Array([1, 2, 3, 4]));
    const stream: Stream = { file: new MemoryFile(joined(one, one, one)), total: 0 };
    const heads: number[] = [];
    for (const { position, length } of walkRecords(stream)) {
      expect(length).toBe(12);
      const into = new Uint8Array(heads.length * 2);
      ckptKread(stream, into);
      heads.push(position);
    }
    expect(heads).toEqual([0, 12, 24]);
    expect(stream.total).toBe(36);
  });

  it.each([
    ['a cut header', [1, 0, 0, 0, 8], 'EPIPE', 12],
    ['a cut payload', [1, 0, 0, 0, 9, 0, 0, 0], 'EPIPE', 20],
    ['a length of 7', [1, 0, 0, 0, 7, 0, 0, 0], 'EINVAL', 20],
    ['an error record', [0x0f, 0x27, 0, 0, 8, 0, 0, 0], 'EIO', 20],
  ])('ends in one error at %s', (_what, end, code, position) => {
    const whole = recordBytes(7, new Uint8Array(4));
    const file = new MemoryFile(joined(whole, new Uint8Array(end)));
    const stream: Stream = { file, total: 0 };
    expect(refusal(() => [...walkRecords(stream)])).toMatchObject({ code, position });
  });

  it('is a bug of the caller who reads behind the record', () => {
    const whole = recordBytes(7, new Uint8Array(4));
    const stream: Stream = { file: new MemoryFile(joined(whole, whole)), total: 0 };
    expect(() => {
      for (const record of walkRecords(stream)) ckptKread(stream, new Uint8Array(record.length));
    }).toThrow('8 bytes behind the record');
  });
});

describe('consuming', () => {
  it('takes a record of gigabytes', () => {
    const stream: Stream = { file: records(1, 2 ** 32 - 1), total: 0 };
    ckptReadConsume(stream, 0, 803);
    expect(stream.total).toBe(2 ** 32 - 1);
  });

  it('is EIO at an error record, whatever was wanted', () => {
    const file = new MemoryFile(recordBytes(CKPT_HDR_ERROR, new Uint8Array([0, 104, 105])));
    expect(
      refusal(() => {
        ckptReadConsume({ file, total: 0 }, 8, 1);
      }),
    ).toMatchObject({
      code: 'EIO',
      position: 11,
      type: CKPT_HDR_ERROR,
    });
  });
});

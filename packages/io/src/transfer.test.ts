import { CkptError } from '@ckpt/format';
import { describe, expect, it } from 'vitest';
import type { CkptFile, Stream } from './file.ts';
import { MemoryFile } from './memory-file.ts';
import { refusal, RestlessFile } from './testing/files.ts';
import { ckptKread, ckptKwrite } from './transfer.ts';

const bytes = Uint8Array.from({ length: 100 }, (_, index) => index);

const nothing: CkptFile = { read: () => 0, write: () => 0 };

describe('a transfer', () => {
  it('loops over partial ones, counting only the whole', () => {
    const file = new MemoryFile(undefined, { writeMax: 7, readMax: 3 });
    const stream: Stream = { file, total: 0 };
    ckptKwrite(stream, bytes);
    expect(stream.total).toBe(100);
    file.rewind();
    const into = new Uint8Array(100);
    ckptKread(stream, into);
    expect(into).toEqual(bytes);
    expect(stream.total).toBe(200);
  });

  it('is tried again after EAGAIN and EINTR', () => {
    const file = new RestlessFile();
    const stream: Stream = { file, total: 0 };
    ckptKwrite(stream, bytes.subarray(0, 20));
    file.rewind();
    const into = new Uint8Array(20);
    ckptKread(stream, into);
    expect(into).toEqual(bytes.subarray(0, 20));
    expect(stream.total).toBe(40);
  });

  it('gives up on a file that is interrupted for ever', () => {
    const interrupted: CkptFile = {
      ...nothing,
      read: () => {
        throw new CkptError('EINTR', 'again and again');
      },
    };
    const error = refusal(() => {
      ckptKread({ file: interrupted, total: 5 }, new Uint8Array(1));
    });
    expect(error).toMatchObject({ code: 'EINTR', position: 5 });
  });

  it('moves the file but not the total when the file ends early', () => {
    const file = new MemoryFile(bytes.subarray(0, 5));
    const stream: Stream = { file, total: 70 };
    const error = refusal(() => {
      ckptKread(stream, new Uint8Array(8));
    });
    expect(error).toMatchObject({ code: 'EPIPE', position: 70 });
    expect([stream.total, file.position]).toEqual([70, 5]);
  });

  it('of nothing succeeds without touching the file', () => {
    const stream: Stream = { file: nothing, total: 3 };
    ckptKread(stream, new Uint8Array(0));
    ckptKwrite(stream, new Uint8Array(0));
    expect(stream.total).toBe(3);
  });

  it('reports a full file once it is full, and counts nothing of it', () => {
    const file = new MemoryFile(undefined, { lengthMax: 20, writeMax: 8 });
    const stream: Stream = { file, total: 0 };
    const error = refusal(() => {
      ckptKwrite(stream, bytes);
    });
    expect(error).toMatchObject({ code: 'ENOSPC', position: 0 });
    expect([stream.total, file.length]).toEqual([0, 20]);
  });

  it('is EPIPE to a file that takes nothing and says nothing', () => {
    const error = refusal(() => {
      ckptKwrite({ file: nothing, total: 9 }, bytes);
    });
    expect(error).toMatchObject({ code: 'EPIPE', position: 9 });
  });

  it.each([-1, 1.5, NaN, Infinity, 101])('refuses a length of %d', (length) => {
    const stream: Stream = { file: new MemoryFile(bytes), total: 0 };
    const into = new Uint8Array(100);
    expect(
      refusal(() => {
        ckptKread(stream, into, length);
      }).code,
    ).toBe('EINVAL');
    expect(
      refusal(() => {
        ckptKwrite(stream, into, length);
      }).code,
    ).toBe('EINVAL');
  });

  it.each([-1, 2, 0.5, NaN])('does not believe a file that moved %d of 1 byte', (count) => {
    const liar: CkptFile = { read: () => count, write: () => count };
    const one = new Uint8Array(1);
    expect(
      refusal(() => {
        ckptKread({ file: liar, total: 0 }, one);
      }).code,
    ).toBe('EIO');
    expect(
      refusal(() => {
        ckptKwrite({ file: liar, total: 0 }, one);
      }).code,
    ).toBe('EIO');
  });

  it('keeps what a file says of an error, and adds where', () => {
    const broken: CkptFile = {
      ...nothing,
      write: () => {
        throw new CkptError('EDQUOT', 'no quota', { field: 'x' });
      },
    };
    const error = refusal(() => {
      ckptKwrite({ file: broken, total: 12 }, bytes);
    });
    expect(error).toMatchObject({ code: 'EDQUOT', sentence: 'no quota', position: 12, field: 'x' });
  });
});

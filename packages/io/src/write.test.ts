import { CKPT_HDR_BUFFER, CKPT_HDR_STRING, CKPT_HDR_TASK } from '@ckpt/format';
import { describe, expect, it } from 'vitest';
import type { Stream } from './file.ts';
import { MemoryFile } from './memory-file.ts';
import { ckptHdrGet, ckptHdrGetType, ckptHdrPut } from './record-memory.ts';
import { recordBytes, refusal } from './testing/files.ts';
import { encodeText } from './text.ts';
import { ckptWriteBuffer, ckptWriteObj, ckptWriteObjType, ckptWriteString } from './write.ts';

function empty(): { file: MemoryFile; stream: Stream } {
  const file = new MemoryFile();
  return { file, stream: { file, total: 0 } };
}

describe('record memory', () => {
  it('is zero, with its header filled in', () => {
    expect(ckptHdrGet(16)).toEqual(new Uint8Array(16));
    const record = ckptHdrGetType(40, CKPT_HDR_TASK);
    expect(record).toEqual(recordBytes(101, new Uint8Array(32)));
    ckptHdrPut(record);
  });

  it.each([
    ['a length under the header', () => ckptHdrGetType(7, 1)],
    ['a negative length', () => ckptHdrGet(-1)],
    ['a length of no u32', () => ckptHdrGet(2 ** 32)],
    ['a type of no u32', () => ckptHdrGetType(8, -1)],
  ])('refuses %s', (_what, call) => {
    expect(refusal(call).code).toBe('EINVAL');
  });
});

describe('a writer', () => {
  it('writes a whole record as it is', () => {
    const { file, stream } = empty();
    ckptWriteObj(stream, ckptHdrGetType(16, 9001));
    expect(file.bytes).toEqual(recordBytes(9001, new Uint8Array(8)));
    expect(stream.total).toBe(16);
  });

  it.each([
    ['no header', new Uint8Array(7)],
    ['a length of 4', recordBytes(1, new Uint8Array(8), 4)],
    ['a length that is too long', recordBytes(1, new Uint8Array(8), 17)],
  ])('refuses a record with %s', (_what, record) => {
    const { file, stream } = empty();
    expect(
      refusal(() => {
        ckptWriteObj(stream, record);
      }),
    ).toMatchObject({
      code: 'EINVAL',
      field: 'len',
    });
    expect([file.length, stream.total]).toEqual([0, 0]);
  });

  it('writes buffers and strings, adding nothing', () => {
    const { file, stream } = empty();
    ckptWriteBuffer(stream, encodeText('ab'));
    ckptWriteString(stream, encodeText('abc'), 2);
    expect(file.bytes).toEqual(
      new Uint8Array([
        ...recordBytes(CKPT_HDR_BUFFER, encodeText('ab')),
        ...recordBytes(CKPT_HDR_STRING, encodeText('ab')),
      ]),
    );
    expect(stream.total).toBe(20);
  });

  it('announces a payload that the caller writes', () => {
    const { file, stream } = empty();
    ckptWriteObjType(stream, undefined, 2 ** 31, CKPT_HDR_BUFFER);
    expect(file.bytes).toEqual(recordBytes(CKPT_HDR_BUFFER, new Uint8Array(0), 2 ** 31 + 8));
    expect(stream.total).toBe(8);
  });

  it.each([-1, 2 ** 32 - 8, 0.5, NaN, 3])('refuses a payload of %d bytes', (length) => {
    const { file, stream } = empty();
    const error = refusal(() => {
      ckptWriteBuffer(stream, new Uint8Array(2), length);
    });
    expect(error).toMatchObject({ code: 'EINVAL', field: 'len', position: 0 });
    expect(file.length).toBe(0);
  });

  it('writes no payload after a header that did not go out', () => {
    const file = new MemoryFile(undefined, { lengthMax: 4 });
    const stream: Stream = { file, total: 0 };
    const error = refusal(() => {
      ckptWriteBuffer(stream, new Uint8Array(100));
    });
    expect(error).toMatchObject({ code: 'ENOSPC', type: CKPT_HDR_BUFFER });
    expect([stream.total, file.length]).toEqual([0, 4]);
  });

  it('counts the header when only the payload failed', () => {
    const file = new MemoryFile(undefined, { lengthMax: 10 });
    const stream: Stream = { file, total: 0 };
    refusal(() => {
      ckptWriteBuffer(stream, new Uint8Array(100));
    });
    expect(stream.total).toBe(8);
  });

  it('tells the trace of each record', () => {
    const { stream } = empty();
    const lines: string[] = [];
    stream.trace = (line) => void lines.push(line);
    ckptWriteObj(stream, ckptHdrGetType(16, 9001));
    ckptWriteString(stream, new Uint8Array(16));
    expect(lines).toEqual(['type 9001 len 16', 'type 4 len 24']);
  });
});

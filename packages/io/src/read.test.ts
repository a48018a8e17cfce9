import { CKPT_HDR_BUFFER, CKPT_HDR_ERROR, CKPT_HDR_STRING, CKPT_HDR_TASK } from '@ckpt/format';
import { describe, expect, it } from 'vitest';
import { ckptReadConsume } from './consume.ts';
import type { Stream } from './file.ts';
import { readHeader } from './header.ts';
import { MemoryFile } from './memory-file.ts';
import { _ckptReadBuffer, _ckptReadObj, _ckptReadObjType, _ckptReadString } from './read-into.ts';
import {
  ckptReadBufType,
  ckptReadObj,
  ckptReadObjType,
  ckptReadPayload,
  ckptReadString,
} from './read-new.ts';
import { EndlessFile, joined, recordBytes, refusal, same } from './testing/files.ts';
import { encodeText } from './text.ts';

function over(...parts: Uint8Array[]): Stream {
  return { file: new MemoryFile(joined(...parts)), total: 0 };
}

const ten = encodeText('0123456789');
const buffer = recordBytes(CKPT_HDR_BUFFER, ten);
const string = recordBytes(CKPT_HDR_STRING, ten);

describe('readers into memory of the caller', () => {
  it('give header and payload', () => {
    const into = new Uint8Array(12).fill(255);
    expect(_ckptReadObj(over(buffer), into, 18, 0)).toEqual({ type: 3, length: 18, position: 0 });
    expect(into).toEqual(new Uint8Array([...ten, 255, 255]));
    expect(_ckptReadObjType(over(buffer), new Uint8Array(10), 0, CKPT_HDR_BUFFER)).toBe(10);
    expect(_ckptReadBuffer(over(buffer), new Uint8Array(10))).toBe(10);
  });

  it('take at most max, the header counted', () => {
    expect(_ckptReadObj(over(buffer), new Uint8Array(10), 0, 18).length).toBe(18);
    const stream = over(buffer);
    expect(refusal(() => _ckptReadObj(stream, new Uint8Array(10), 0, 17)).code).toBe('EINVAL');
    expect(stream.total).toBe(8);
  });

  it('never write beyond that memory', () => {
    const into = new Uint8Array(9);
    const error = refusal(() => _ckptReadObjType(over(buffer), into, 0, CKPT_HDR_BUFFER));
    expect(error).toMatchObject({ code: 'EINVAL', type: 3, field: 'len' });
    expect(into).toEqual(new Uint8Array(9));
  });

  it('leave the payload to the caller who gives none', () => {
    const stream = over(buffer);
    expect(_ckptReadObj(stream, undefined, 0, 0)).toMatchObject({ type: 3, length: 18 });
    expect(stream.total).toBe(8);
  });

  it('end a string of fixed size by force', () => {
    const into = new Uint8Array(10);
    _ckptReadString(over(string), into);
    expect(into).toEqual(encodeText('012345678\0'));
    _ckptReadString(over(string), undefined, 10);
  });

  it.each([
    ['a buffer', (stream: Stream) => void _ckptReadBuffer(stream, new Uint8Array(0))],
    [
      'a string',
      (stream: Stream) => {
        _ckptReadString(stream, new Uint8Array(5), 0);
      },
    ],
  ])('refuse %s of no length', (_what, call) => {
    const stream = over(buffer);
    expect(
      refusal(() => {
        call(stream);
      }),
    ).toMatchObject({ code: 'EINVAL', field: 'len' });
    expect(stream.total).toBe(0);
  });
});

describe('readers into new memory', () => {
  it('give the whole record as it stands in the image', () => {
    expect(ckptReadObj(over(buffer), 0, 0)).toEqual(buffer);
    expect(ckptReadObj(over(buffer), 0, 18)).toEqual(buffer);
    expect(ckptReadObjType(over(buffer), 18, CKPT_HDR_BUFFER)).toEqual(buffer);
    expect(ckptReadBufType(over(buffer), 0, CKPT_HDR_BUFFER)).toEqual(buffer);
  });

  it('give payload and text', () => {
    expect(ckptReadPayload(over(string), 10, CKPT_HDR_STRING)).toEqual(ten);
    expect(ckptReadString(over(string), 10)).toBe('0123456789');
    const cut = recordBytes(CKPT_HDR_STRING, encodeText('ab\0cd'));
    expect(ckptReadString(over(cut), 10)).toBe('ab');
    const broken = recordBytes(CKPT_HDR_STRING, new Uint8Array([0xff, 0x61]));
    expect(ckptReadString(over(broken), 10)).toBe('\ufffda');
  });

  it('grow with what comes, over many megabytes', () => {
    const payload = Uint8Array.from({ length: 5_000_000 }, (_, index) => (index * 31) >> 4);
    const record = recordBytes(CKPT_HDR_BUFFER, payload);
    expect(same(ckptReadPayload(over(record), 2 ** 31, CKPT_HDR_BUFFER), payload)).toBe(true);
    expect(same(ckptReadObj(over(record), record.length, 0), record)).toBe(true);
  });

  it('without limit still take 16 MiB at most', () => {
    const over16 = recordBytes(CKPT_HDR_BUFFER, new Uint8Array(0), 2 ** 24 + 9);
    const calls = [
      (stream: Stream) => ckptReadObj(stream, 0, 0),
      (stream: Stream) => ckptReadBufType(stream, 0, CKPT_HDR_BUFFER),
    ];
    for (const call of calls) {
      const stream = over(over16);
      expect(refusal(() => call(stream))).toMatchObject({ code: 'EINVAL', field: 'len' });
      expect(stream.total).toBe(8);
    }
    const exact = recordBytes(CKPT_HDR_BUFFER, new Uint8Array(2 ** 24));
    expect(ckptReadBufType(over(exact), 0, CKPT_HDR_BUFFER)).toHaveLength(2 ** 24 + 8);
  });

  it('refuse a record that is too short for the struct wanted', () => {
    const stream = over(recordBytes(CKPT_HDR_TASK, new Uint8Array(0)));
    const error = refusal(() => ckptReadBufType(stream, 0, CKPT_HDR_TASK, 32));
    expect(error).toMatchObject({ code: 'EINVAL', position: 8, type: CKPT_HDR_TASK, field: 'len' });
  });

  it('read a record of another type before they refuse it', () => {
    for (const call of [
      (stream: Stream) => ckptReadObjType(stream, 18, CKPT_HDR_STRING),
      (stream: Stream) => ckptReadBufType(stream, 0, CKPT_HDR_STRING),
    ]) {
      const stream = over(buffer);
      expect(refusal(() => call(stream))).toMatchObject({ code: 'EINVAL', type: 3, field: 'type' });
      expect(stream.total).toBe(18);
    }
  });

  it('refuse a struct of no length', () => {
    expect(refusal(() => ckptReadObjType(over(buffer), 0, 3)).code).toBe('EINVAL');
  });
});

/** Every reader, wanting a STRING of 16 bytes of payload at most. */
const readers: Record<string, (stream: Stream, length: number) => unknown> = {
  _ckptReadObj: (stream, length) => _ckptReadObj(stream, new Uint8Array(16), length, 0),
  _ckptReadObjType: (stream, length) => _ckptReadObjType(stream, new Uint8Array(16), length, 4),
  _ckptReadBuffer: (stream, length) => _ckptReadBuffer(stream, new Uint8Array(16), length),
  _ckptReadString: (stream, length) => {
    _ckptReadString(stream, new Uint8Array(16), length);
  },
  ckptReadObj: (stream, length) => ckptReadObj(stream, length, 0),
  ckptReadObjType: (stream, length) => ckptReadObjType(stream, length, 4),
  ckptReadBufType: (stream, length) => ckptReadBufType(stream, length, 4),
  ckptReadPayload: (stream, length) => ckptReadPayload(stream, length, 4),
  ckptReadString: (stream, length) => ckptReadString(stream, length),
  ckptReadConsume: (stream, length) => {
    ckptReadConsume(stream, length, 4);
  },
};

describe.each(Object.entries(readers))('%s', (_name, read) => {
  it('refuses a length that is none, reading nothing', () => {
    for (const length of [-8, -1, 1.5, NaN, Infinity]) {
      const stream = over(string);
      expect(refusal(() => read(stream, length))).toMatchObject({ code: 'EINVAL', position: 0 });
      expect(stream.total).toBe(0);
    }
  });

  it('meets an error record of either form, and passes its text on', () => {
    const text = encodeText('\0[err -28][pos 202]no space\n');
    const said = /left an error: \[err -28\]\[pos 202\]no space$/;
    const apart = over(
      recordBytes(CKPT_HDR_ERROR, new Uint8Array(0)),
      recordBytes(CKPT_HDR_STRING, text),
      string,
    );
    const first = refusal(() => read(apart, 16));
    expect(first).toMatchObject({ code: 'EIO', position: 8, type: CKPT_HDR_ERROR });
    expect(first.sentence).toMatch(said);
    expect(apart.total).toBe(8);
    const inline = over(recordBytes(CKPT_HDR_ERROR, text));
    const second = refusal(() => read(inline, 16));
    expect(second).toMatchObject({ code: 'EIO', position: 8 + text.length });
    expect(second.sentence).toMatch(said);
  });

  it('says where the image ended', () => {
    expect(refusal(() => read(over(), 16))).toMatchObject({ code: 'EPIPE', position: 0 });
    const error = refusal(() => read(over(string.subarray(0, 7)), 16));
    expect(error).toMatchObject({ code: 'EPIPE', position: 0, field: 'h' });
    expect(error.sentence).toContain('7 of 8 bytes');
  });
});

describe('an error record', () => {
  const empty = recordBytes(CKPT_HDR_ERROR, new Uint8Array(0));

  it.each([
    ['nothing', new Uint8Array(0)],
    ['a cut header', string.subarray(0, 5)],
    ['another record', buffer],
    ['a string without room for its header', recordBytes(4, new Uint8Array(0), 3)],
    ['an empty string', recordBytes(4, new Uint8Array(0))],
    ['a string of only NUL', recordBytes(4, new Uint8Array(1))],
  ])('is EIO when %s follows', (_what, next) => {
    const stream = over(empty, next);
    const error = refusal(() => readHeader(stream));
    expect(error).toMatchObject({ code: 'EIO', position: 8 });
    expect(error.sentence).toContain('without a text');
  });

  it('passes on what there is of a cut text', () => {
    const stream = over(empty, recordBytes(4, encodeText('\0no spa'), 1 << 30));
    expect(refusal(() => readHeader(stream)).sentence).toContain('no spa');
  });

  it('of a gigabyte that is not there is EPIPE, in little memory', () => {
    for (const length of [2 ** 30, 2 ** 32 - 1]) {
      const stream = over(recordBytes(CKPT_HDR_ERROR, encodeText('\0no spa'), length));
      const error = refusal(() => readHeader(stream));
      expect(error).toMatchObject({ code: 'EPIPE', position: 8, type: CKPT_HDR_ERROR });
      expect(error.sentence).toContain('no spa');
    }
  });

  it('of a gigabyte that is there passes on a few kilobytes', () => {
    let begun = false;
    const endless = new EndlessFile();
    const file = {
      read: (into: Uint8Array) => {
        if (begun) return endless.read(into);
        begun = true;
        into.set(recordBytes(CKPT_HDR_ERROR, new Uint8Array(0), 2 ** 30 + 8));
        return 8;
      },
      write: () => 0,
    };
    const error = refusal(() => readHeader({ file, total: 0 }));
    expect(error).toMatchObject({ code: 'EIO', position: 2 ** 30 + 8 });
  });
});

describe('a header', () => {
  it('is its own also when reading it reads headers of another file', () => {
    const inner = over(recordBytes(7, new Uint8Array(3)));
    const outer = new MemoryFile(recordBytes(9, new Uint8Array(5)));
    const file = {
      read: (into: Uint8Array) => {
        const count = outer.read(into.subarray(0, 4));
        if (inner.total === 0) expect(readHeader(inner)).toMatchObject({ type: 7, length: 11 });
        return count;
      },
      write: () => 0,
    };
    expect(readHeader({ file, total: 0 })).toEqual({ type: 9, length: 13, position: 0 });
  });
});

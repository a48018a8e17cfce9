import { CkptError } from '@ckpt/format';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ckptReadConsume } from './consume.ts';
import type { Stream } from './file.ts';
import { MemoryFile } from './memory-file.ts';
import { _ckptReadBuffer, _ckptReadObj, _ckptReadObjType, _ckptReadString } from './read-into.ts';
import {
  ckptReadBufType,
  ckptReadObj,
  ckptReadObjType,
  ckptReadPayload,
  ckptReadString,
} from './read-new.ts';
import { joined, MeasuredFile, recordBytes } from './testing/files.ts';
import { walkRecords } from './walk.ts';
import { ckptWriteObjType } from './write.ts';

const types = fc.oneof(fc.constantFrom(1, 2, 3, 4, 101, 9001, 9999), fc.nat(2 ** 32 - 1));

/** Records whose length may lie, or any bytes. */
const images = fc.oneof(
  fc.uint8Array({ maxLength: 64 }),
  fc
    .array(
      fc
        .tuple(types, fc.uint8Array({ maxLength: 40 }), fc.option(fc.nat(2 ** 32 - 1)))
        .map(([type, payload, lie]) => recordBytes(type, payload, lie ?? payload.length + 8)),
      { maxLength: 4 },
    )
    .map((records) => joined(...records)),
);

const lengths = fc.oneof(fc.integer({ min: -9, max: 50 }), fc.constantFrom(2 ** 31, 2 ** 40, NaN));

const calls: ((stream: Stream, a: number, b: number, type: number) => unknown)[] = [
  (stream, a, b) => _ckptReadObj(stream, new Uint8Array(20), a, b),
  (stream, a, _b, type) => _ckptReadObjType(stream, new Uint8Array(20), a, type),
  (stream, a) => _ckptReadBuffer(stream, new Uint8Array(20), a),
  (stream, a) => {
    _ckptReadString(stream, new Uint8Array(20), a);
  },
  (stream, a, b) => ckptReadObj(stream, a, b),
  (stream, a, _b, type) => ckptReadObjType(stream, a, type),
  (stream, a, b, type) => ckptReadBufType(stream, a, type, b),
  (stream, a, _b, type) => ckptReadPayload(stream, a, type),
  (stream, a) => ckptReadString(stream, a),
  (stream, a, _b, type) => {
    ckptReadConsume(stream, a, type);
  },
  (stream) => [...walkRecords(stream)],
];

describe('any bytes', () => {
  it('give any reader a result or one located error', () => {
    fc.assert(
      fc.property(images, fc.constantFrom(...calls), lengths, lengths, types, (...args) => {
        const [image, call, a, b, type] = args;
        const file = new MeasuredFile(image);
        const stream: Stream = { file, total: 0 };
        try {
          call(stream, a, b, type);
          expect(stream.total).toBe(file.inner.position);
        } catch (error) {
          if (!(error instanceof CkptError)) throw error;
          expect(error.position).toBe(stream.total);
          expect(['EINVAL', 'EPIPE', 'EIO']).toContain(error.code);
          expect(error.field === undefined ? error.code : 'EIO').toBe('EIO');
        }
        expect(stream.total).toBeLessThanOrEqual(file.inner.position);
        expect(file.readMax).toBeLessThanOrEqual(1024 * 1024);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('what was written', () => {
  const sound = fc.tuple(
    types.filter((type) => type !== 9999),
    fc.uint8Array({ maxLength: 300 }),
  );

  it('reads back, through files however slow', () => {
    fc.assert(
      fc.property(fc.array(sound, { maxLength: 5 }), fc.integer({ min: 1, max: 9 }), (all, max) => {
        const file = new MemoryFile(undefined, { readMax: max, writeMax: max });
        const stream: Stream = { file, total: 0 };
        for (const [type, payload] of all) ckptWriteObjType(stream, payload, payload.length, type);
        expect(stream.total).toBe(file.length);
        file.rewind();
        const back: Stream = { file, total: 0 };
        for (const [type, payload] of all) {
          expect(ckptReadPayload(back, payload.length, type)).toEqual(payload);
        }
        expect(back.total).toBe(file.length);
      }),
    );
  });
});

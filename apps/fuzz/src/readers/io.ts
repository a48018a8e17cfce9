import type { Random } from '@ckpt/format';
import {
  _ckptReadBuffer,
  _ckptReadObj,
  _ckptReadObjType,
  _ckptReadString,
  ckptKread,
  ckptReadBufType,
  ckptReadConsume,
  ckptReadObj,
  ckptReadObjType,
  ckptReadPayload,
  ckptReadString,
  copyPayload,
  MemoryFile,
  readHeader,
  skipPayload,
  walkRecords,
  type Stream,
} from '@ckpt/io';
import { below, interesting, once } from '../draw.ts';
import type { Reader } from './reader.ts';
import { throughStream } from './watched-file.ts';

/** Two lengths, a type, bytes of the caller's memory, bytes a slow file gives. */
type Arguments = readonly [a: number, b: number, type: number, room: number, slow: number];

const roomMax = 4096;

/** Numbers that fit the first record of the bytes, or nearly, or not at all. */
function argumentsFor(random: Random, bytes: Uint8Array): Arguments {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const whole = bytes.length >= 8;
  const length = whole ? view.getUint32(4, true) : 0;
  const draw = random();
  const near = [length, length - 8, 0, interesting(random, length), -1 - (draw & 7)];
  const some = (shift: number): number => near[(draw >>> shift) % near.length] ?? 0;
  const type = whole && !once(random, 4) ? view.getUint32(0, true) : interesting(random);
  const room = once(random, 3) ? below(random, 100) : Math.min(length, roomMax);
  return [some(4), some(12), type, room, once(random, 4) ? 1 + (draw & 7) : 0];
}

type Read = (
  stream: Stream,
  args: { a: number; b: number; type: number; into: Uint8Array },
) => void;

const calls: Readonly<Record<string, Read>> = {
  readHeader: (stream) => {
    readHeader(stream);
  },
  ckptReadObj: (stream, { a, b }) => {
    ckptReadObj(stream, a, b);
  },
  ckptReadObjType: (stream, { a, type }) => {
    ckptReadObjType(stream, a, type);
  },
  ckptReadBufType: (stream, { a, b, type }) => {
    ckptReadBufType(stream, a, type, b & 63);
  },
  ckptReadPayload: (stream, { a, type }) => {
    ckptReadPayload(stream, a, type);
  },
  ckptReadString: (stream, { a }) => {
    ckptReadString(stream, a);
  },
  ckptReadConsume: (stream, { a, type }) => {
    ckptReadConsume(stream, a, type);
  },
  _ckptReadObj: (stream, { a, b, into }) => {
    _ckptReadObj(stream, into, a, b);
  },
  _ckptReadObjHeader: (stream, { a, b }) => {
    const { length } = _ckptReadObj(stream, undefined, a, b);
    skipPayload(stream, length - 8);
  },
  _ckptReadObjType: (stream, { a, type, into }) => {
    _ckptReadObjType(stream, into, a, type);
  },
  _ckptReadBuffer: (stream, { a, into }) => {
    _ckptReadBuffer(stream, into, a);
  },
  _ckptReadString: (stream, { a, into }) => {
    _ckptReadString(stream, into, a);
  },
  ckptKread: (stream, { a, into }) => {
    ckptKread(stream, into, a);
  },
  copyPayload: (stream) => {
    const { length } = readHeader(stream);
    copyPayload(stream, length - 8, new MemoryFile());
  },
  walkRecords: (stream) => {
    let index = 0;
    for (const { length } of walkRecords(stream)) {
      // Some payloads are read by whoever walks, in part, or passed over.
      const part = Math.min(index++ & 15, length - 8);
      if (part > 0) skipPayload(stream, part);
    }
  },
};

/** Every reader of @ckpt/io, each with the arguments that it takes. */
export const ioReaders: readonly Reader[] = Object.entries(calls).map(([name, call]) => ({
  name,
  takes: name === 'walkRecords' ? 'image' : 'record',
  args: argumentsFor,
  read: (bytes, [a = 0, b = 0, type = 0, room = 0, slow = 0]) => {
    throughStream(name, bytes, slow, (stream) => {
      call(stream, { a, b, type, into: new Uint8Array(Math.min(room, roomMax)) });
    });
  },
}));

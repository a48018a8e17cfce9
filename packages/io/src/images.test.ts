import {
  CHECKPOINT_MAGIC_HEAD,
  CHECKPOINT_MAGIC_TAIL,
  CKPT_HDR_CONTAINER,
  CKPT_HDR_HEADER,
  CKPT_HDR_TAIL,
  CKPT_HDR_TASK,
  CkptError,
  errnoByName,
} from '@ckpt/format';
import { describe, expect, it } from 'vitest';
import type { Stream } from './file.ts';
import { MemoryFile } from './memory-file.ts';
import { _ckptReadBuffer, _ckptReadString } from './read-into.ts';
import { ckptReadObjType } from './read-new.ts';
import { golden, goldenRows } from './testing/golden.ts';
import { walkRecords } from './walk.ts';

/** Reads revision 3 in its order; what its fields say is looked at only where a row needs it. */
function readImage(stream: Stream): void {
  const header = new DataView(ckptReadObjType(stream, 56, CKPT_HDR_HEADER).buffer);
  const numbers = [18, 20, 22, 24, 32, 34, 36, 38].map((at) => header.getUint16(at, true));
  const due = [2, 6, 37, 3, 16, 65, 65, 65];
  const magic = header.getBigUint64(8, true);
  if (magic !== CHECKPOINT_MAGIC_HEAD || numbers.join() !== due.join() || header.getUint8(48) > 0) {
    throw new CkptError('EINVAL', 'another header', { position: stream.total });
  }
  for (let field = 0; field < 3; field++) _ckptReadBuffer(stream, new Uint8Array(65));
  ckptReadObjType(stream, 8, CKPT_HDR_CONTAINER);
  ckptReadObjType(stream, 40, CKPT_HDR_TASK);
  _ckptReadString(stream, new Uint8Array(16));
  const tail = new DataView(ckptReadObjType(stream, 16, CKPT_HDR_TAIL).buffer);
  if (tail.getBigUint64(8, true) !== CHECKPOINT_MAGIC_TAIL) {
    throw new CkptError('EINVAL', 'another tail', { position: stream.total });
  }
}

const texts: Record<string, string> = {
  'error-at-machine.ckpt': '[err -28][pos 202][E @ x:1]no space',
  'error-at-container.ckpt': '[err -12][pos 275][E @ x:1]oom',
  'error-inline.ckpt': 'inline text',
};

describe('reading in the order of revision 3', () => {
  it.each(goldenRows('EXPECT.tsv'))('%s is %s', (name, verdict, errno, pos, _why, robust) => {
    const stream: Stream = { file: new MemoryFile(golden(name)), total: 0 };
    if (verdict === 'valid') {
      readImage(stream);
      expect(stream.total).toBe(363);
      return;
    }
    let thrown: unknown;
    try {
      readImage(stream);
    } catch (error) {
      thrown = error;
    }
    const better = /^(E\w+)@(\d+)/.exec(robust);
    expect(thrown).toBeInstanceOf(CkptError);
    expect(thrown).toMatchObject({
      code: better?.[1] ?? errno,
      errno: errnoByName[(better?.[1] ?? errno) as 'EIO'],
      position: Number(better?.[2] ?? pos),
    });
    expect(stream.total).toBe(Number(better?.[2] ?? pos));
    const text = texts[name];
    if (text !== undefined) expect((thrown as CkptError).sentence).toContain(text);
  });

  it('walks an image record by record', () => {
    const stream: Stream = { file: new MemoryFile(golden('valid-minimal.ckpt')), total: 0 };
    expect([...walkRecords(stream)].map(({ type, length }) => [type, length])).toEqual([
      [1, 56],
      [3, 73],
      [3, 73],
      [3, 73],
      [2, 8],
      [101, 40],
      [4, 24],
      [9001, 16],
    ]);
    expect(stream.total).toBe(363);
  });

  it('walks over two images in a row', () => {
    const stream: Stream = { file: new MemoryFile(golden('valid-two-images.ckpt')), total: 0 };
    expect([...walkRecords(stream)]).toHaveLength(16);
    expect(stream.total).toBe(726);
  });
});

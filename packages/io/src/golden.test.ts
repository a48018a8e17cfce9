import { CKPT_HDR_STRING, CkptError, errnoByName } from '@ckpt/format';
import { describe, expect, it } from 'vitest';
import { ckptReadConsume } from './consume.ts';
import type { Stream } from './file.ts';
import { _ckptReadObjType, _ckptReadString } from './read-into.ts';
import { ckptReadBufType, ckptReadPayload, ckptReadString } from './read-new.ts';
import { decodeText, encodeText } from './text.ts';
import { MeasuredFile } from './testing/files.ts';
import { goldenRows } from './testing/golden.ts';

interface Outcome {
  /** What the call returned, or minus the errno. */
  r: number;
  text?: string | undefined;
}

/** The calls of the vectors, by their spelling there. */
const calls: Record<string, (stream: Stream, arg: number) => Outcome> = {
  'ckpt_read_string(max)': (stream, arg) => ({ r: 0, text: ckptReadString(stream, arg) }),
  'ckpt_read_payload(max,STRING)': (stream, arg) => ({
    r: ckptReadPayload(stream, arg, CKPT_HDR_STRING).length,
  }),
  'ckpt_read_consume(len,STRING)': (stream, arg) => {
    ckptReadConsume(stream, arg, CKPT_HDR_STRING);
    return { r: 0 };
  },
  'ckpt_read_buf_type(max,STRING)': (stream, arg) => ({
    r: ckptReadBufType(stream, arg, CKPT_HDR_STRING).length,
  }),
  '_ckpt_read_obj_type(NULL,0,STRING)': (stream) => ({
    r: _ckptReadObjType(stream, undefined, 0, CKPT_HDR_STRING),
  }),
};

/** The caller's memory is looked at after a failure too. */
function fixedString(stream: Stream, arg: number): { outcome: Outcome; error?: CkptError } {
  const into = encodeText('\0'.repeat(arg));
  try {
    _ckptReadString(stream, into, arg);
  } catch (error) {
    if (!(error instanceof CkptError)) throw error;
    return { outcome: { r: -error.errno, text: decodeText(into) }, error };
  }
  return { outcome: { r: 0, text: decodeText(into) } };
}

function run(stream: Stream, call: string, arg: number): { outcome: Outcome; error?: CkptError } {
  if (call === '_ckpt_read_string(ptr,len)') return fixedString(stream, arg);
  try {
    const outcome = calls[call]?.(stream, arg);
    if (outcome === undefined) throw new Error(`no such call: ${call}`);
    return { outcome };
  } catch (error) {
    if (!(error instanceof CkptError)) throw error;
    return { outcome: { r: -error.errno }, error };
  }
}

/** "payload: r=-22 total=8 fpos=8 maxalloc=0 'text'" */
function observed(text: string) {
  const fields = /r=(-?\d+) total=(\d+) fpos=(\d+) maxalloc=-?\d+(?: '(.*)')?/.exec(text);
  if (fields === null) throw new Error(`not understood: ${text}`);
  return {
    r: Number(fields[1]),
    total: Number(fields[2]),
    fpos: Number(fields[3]),
    text: fields[4],
  };
}

describe('a reader call', () => {
  const rows = goldenRows('API-VECTORS.tsv');

  it('has 35 vectors', () => {
    expect(rows).toHaveLength(35);
  });

  it.each(rows)('answers "%s"', (what, hex, call, arg, base, robust) => {
    const file = new MeasuredFile(new Uint8Array(Buffer.from(hex, 'hex')));
    const stream: Stream = { file, total: 0 };
    const { outcome, error } = run(stream, call, Number(arg));

    expect(file.readMax).toBeLessThanOrEqual(1024 * 1024);
    if (error !== undefined) expect(error.position).toBe(stream.total);
    if (robust === '=') {
      const { r, total, fpos, text } = observed(base);
      expect({ r: outcome.r, total: stream.total, fpos: file.inner.position }).toEqual({
        r,
        total,
        fpos,
      });
      if (text !== undefined) expect(outcome.text ?? '').toBe(text);
      return;
    }
    const said = /"(\w+)"/.exec(robust)?.[1];
    const codes = robust.match(/\bE[A-Z]{2,}/g) ?? [];
    if (codes.length === 0) {
      expect(outcome).toEqual({ r: 0, text: said });
      expect([stream.total, file.inner.position]).toEqual([13, 13]);
      return;
    }
    expect(codes.map((code) => -errnoByName[code as 'EIO'])).toContain(outcome.r);
    if (said !== undefined) expect(error?.sentence).toContain(said);
    // An argument that is no length is refused before anything is read.
    const read = Number(arg) < 0 ? 0 : 8;
    expect(stream.total).toBe(read);
    // The text of an error record stands behind it, and is read without counting.
    expect(file.inner.position).toBe(codes[0] === 'EIO' ? 21 : read);
  });
});

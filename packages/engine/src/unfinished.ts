import { CkptError } from '@ckpt/format';
import { ckptKwrite, type Stream } from '@ckpt/io';
import type { OutputFile } from './output-file.ts';

export type OutputStream = Stream & { readonly file: OutputFile };

/**
 * Records whose writing has begun: from byte `at` of the image on these bytes, which end inside of
 * the last record or with it. Never the TAIL: what fails there stays open.
 */
export interface Unfinished {
  readonly at: number;
  readonly head: Uint8Array;
}

/** Bytes of zeros written at a time. */
const zerosMax = 256 * 1024;

/** Where the record ends in which byte `length` of the image is the next one to be written. */
function recordEnd({ at, head }: Unfinished, length: number): number {
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  let end = at;
  while (end < length) {
    if (end - at >= head.length) return Infinity;
    end += view.getUint32(end - at + 4, true);
  }
  return end;
}

/**
 * Ends the record in which a writer failed: its own bytes as far as they are known, then zeros.
 * Returns whether the file took them: only then does an ERROR record stand where readers look
 * for one.
 */
export function fillRecord(stream: OutputStream, unfinished: Unfinished | undefined): boolean {
  const { file } = stream;
  if (unfinished === undefined) return file.length === 0;
  const end = recordEnd(unfinished, file.length);
  if (end === Infinity) return false;
  const { at, head } = unfinished;
  try {
    const known = head.subarray(file.length - at, end - at);
    if (known.length > 0) ckptKwrite(stream, known);
    while (file.length < end) {
      ckptKwrite(stream, new Uint8Array(Math.min(zerosMax, end - file.length)));
    }
  } catch (error) {
    if (error instanceof CkptError) return false;
    throw error;
  }
  stream.total = file.length;
  return true;
}

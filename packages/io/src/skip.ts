import type { CkptErrorOptions } from '@ckpt/format';
import { checkLength, fault, located } from './fault.ts';
import type { CkptFile, Stream } from './file.ts';
import { readFully, writeFully } from './transfer.ts';

/** Bytes moved at a time: fits the second-level cache, and covers the cost of a system call. */
const chunkMax = 256 * 1024;

let scratch: Uint8Array | undefined;

/** Where skipped bytes go; nobody looks at them, so one is enough for all. */
function sink(length: number): Uint8Array {
  scratch ??= new Uint8Array(chunkMax);
  return length < chunkMax ? scratch.subarray(0, length) : scratch;
}

/** Moves the file on by `length` bytes; returns how many were there. */
export function discard(file: CkptFile, length: number): number {
  let done = 0;
  while (file.skip !== undefined && done < length) {
    const count = file.skip(length - done);
    if (!(count > 0 && count <= length - done)) break;
    done += count;
  }
  while (done < length) {
    const into = sink(length - done);
    const count = readFully(file, into);
    done += count;
    if (count < into.length) break;
  }
  return done;
}

/** Where an error is. */
function inPayload(type: number | undefined): CkptErrorOptions {
  return { field: 'payload', ...(type === undefined ? {} : { type }) };
}

/**
 * Skips `length` bytes of payload in bounded memory; `total` grows when all were there.
 * @throws CkptError EPIPE when the image ends first; as read(2).
 */
export function skipPayload(stream: Stream, length: number, type?: number): void {
  checkLength(stream, 'length', length);
  let done: number;
  try {
    done = discard(stream.file, length);
  } catch (error) {
    throw located(error, stream, inPayload(type));
  }
  if (done < length) {
    throw fault(
      'EPIPE',
      stream,
      `the image ends after ${done} of ${length} bytes`,
      inPayload(type),
    );
  }
  stream.total += length;
}

/**
 * Copies `length` bytes of payload to another file in bounded memory; `total` grows when all were
 * there. An error of `to` has no position in the image.
 * @throws CkptError EPIPE when the image ends first; as read(2) and write(2).
 */
export function copyPayload(stream: Stream, length: number, to: CkptFile): void {
  checkLength(stream, 'length', length);
  const chunk = new Uint8Array(Math.min(length, chunkMax));
  let done = 0;
  while (done < length) {
    const into = length - done < chunk.length ? chunk.subarray(0, length - done) : chunk;
    let count: number;
    try {
      count = readFully(stream.file, into);
    } catch (error) {
      throw located(error, stream, { field: 'payload' });
    }
    writeFully(to, into.subarray(0, count));
    done += count;
    if (count < into.length) {
      throw fault('EPIPE', stream, `the image ends after ${done} of ${length} bytes`, {
        field: 'payload',
      });
    }
  }
  stream.total += length;
}

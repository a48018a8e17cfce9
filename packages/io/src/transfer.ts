import { CkptError, type CkptErrorOptions } from '@ckpt/format';
import { checkLength, fault, located } from './fault.ts';
import type { CkptFile, Stream } from './file.ts';
import { retry } from './patience.ts';

/** Believes a file only what it can have done. */
function checkCount(count: number, asked: number, verb: string): void {
  if (Number.isInteger(count) && count >= 0 && count <= asked) return;
  throw new CkptError('EIO', `the file says that it ${verb} ${count} of ${asked} bytes`);
}

/** Reads until `into` is full or the file ends; returns how many bytes came. */
export function readFully(file: CkptFile, into: Uint8Array): number {
  let done = 0;
  let idle = 0;
  while (done < into.length) {
    let count: number;
    try {
      count = file.read(done === 0 ? into : into.subarray(done));
    } catch (error) {
      retry(error, idle++);
      continue;
    }
    checkCount(count, into.length - done, 'read');
    if (count === 0) break;
    done += count;
    idle = 0;
  }
  return done;
}

/**
 * Writes all of `from`.
 * @throws CkptError as the file says; EPIPE when it takes nothing and says nothing.
 */
export function writeFully(file: CkptFile, from: Uint8Array): void {
  let done = 0;
  let idle = 0;
  while (done < from.length) {
    let count: number;
    try {
      count = file.write(done === 0 ? from : from.subarray(done));
    } catch (error) {
      retry(error, idle++);
      continue;
    }
    checkCount(count, from.length - done, 'wrote');
    if (count === 0) {
      throw new CkptError('EPIPE', `the file took ${done} of ${from.length} bytes and no more`);
    }
    done += count;
    idle = 0;
  }
}

/** Reads until `into` is full, then adds its length to `total`. `more` is for the error. */
export function readPart(stream: Stream, into: Uint8Array, more?: CkptErrorOptions): void {
  let done: number;
  try {
    done = readFully(stream.file, into);
  } catch (error) {
    throw located(error, stream, more);
  }
  if (done < into.length) {
    throw fault('EPIPE', stream, `the image ends after ${done} of ${into.length} bytes`, more);
  }
  stream.total += into.length;
}

/** Writes all of `from`, then adds its length to `total`. */
export function writePart(stream: Stream, from: Uint8Array, more?: CkptErrorOptions): void {
  try {
    writeFully(stream.file, from);
  } catch (error) {
    throw located(error, stream, more);
  }
  stream.total += from.length;
}

/**
 * Reads exactly `length` bytes into the front of `into`, then adds them to `total`. After a short
 * read the file has moved by what came, `total` has not.
 * @throws CkptError EPIPE when the file ends first; EINVAL for a length that does not fit `into`;
 * as read(2).
 */
export function ckptKread(stream: Stream, into: Uint8Array, length = into.length): void {
  checkLength(stream, 'length', length, into.length);
  readPart(stream, length === into.length ? into : into.subarray(0, length));
}

/**
 * Writes exactly `length` bytes from the front of `from`, then adds them to `total`, which stays
 * as it was when not all went out.
 * @throws CkptError EPIPE when the file takes no more; EINVAL for a length that `from` has not;
 * as write(2).
 */
export function ckptKwrite(stream: Stream, from: Uint8Array, length = from.length): void {
  checkLength(stream, 'length', length, from.length);
  writePart(stream, length === from.length ? from : from.subarray(0, length));
}

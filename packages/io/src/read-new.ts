import { CKPT_HDR_STRING } from '@ckpt/format';
import { checkLength, fault, located } from './fault.ts';
import type { Stream } from './file.ts';
import type { RecordHeader } from './header.ts';
import { checkType, readSized, totalLength } from './read.ts';
import { headerLength } from './record-memory.ts';
import { decodeText } from './text.ts';
import { readFully } from './transfer.ts';

/** Bytes of the longest payload that a reader without limit takes: 16 MiB, a PAGES record's. */
const payloadMax = 16 * 1024 * 1024;

/** Bytes that are allocated on the word of an image alone. */
const trustMax = 1024 * 1024;

function memory(stream: Stream, length: number): Uint8Array {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    throw fault('ENOMEM', stream, `no memory for ${length} bytes`, { cause });
  }
}

/**
 * Reads the payload into new memory, behind `front` bytes that are left free. Memory grows with
 * the bytes that come, not with the length that the image claims.
 */
function readNew(stream: Stream, header: RecordHeader, front: number): Uint8Array {
  const payload = header.length - headerLength;
  const end = front + payload;
  let bytes = memory(stream, Math.min(end, trustMax));
  let done = front;
  const more = { type: header.type, field: 'payload' };
  try {
    for (;;) {
      const room = bytes.length - done;
      const count = readFully(stream.file, bytes.subarray(done));
      done += count;
      if (count < room || done === end) break;
      const grown = memory(stream, Math.min(end, bytes.length * 2));
      grown.set(bytes);
      bytes = grown;
    }
  } catch (error) {
    throw located(error, stream, more);
  }
  if (done < end) {
    const came = done - front;
    throw fault('EPIPE', stream, `the image ends after ${came} of ${payload} bytes`, more);
  }
  stream.total += payload;
  return bytes;
}

/** Reads the payload of `header`; returns the record as it stands in the image. */
function readWhole(stream: Stream, header: RecordHeader): Uint8Array {
  const record = readNew(stream, header, headerLength);
  const view = new DataView(record.buffer);
  view.setUint32(0, header.type, true);
  view.setUint32(4, header.length, true);
  return record;
}

/**
 * Reads a whole record, header included. `length` and `max` count the header: `length`, or where
 * that is 0 at most `max`, or where both are 0 up to 16 MiB of payload.
 * @throws CkptError EINVAL for another length, before anything is allocated; EPIPE when the image
 * ends first; EIO with its text for an ERROR record; ENOMEM; as read(2).
 */
export function ckptReadObj(stream: Stream, length: number, max: number): Uint8Array {
  checkLength(stream, 'len', length);
  checkLength(stream, 'max', max);
  return readWhole(stream, readSized(stream, length, max === 0 ? payloadMax + headerLength : max));
}

/**
 * Reads a whole record of `type` and of exactly `length` bytes, header included; of another type it
 * is read before it is refused.
 * @throws CkptError EINVAL when `length` is 0, or for another type; the rest as
 * {@link ckptReadObj}.
 */
export function ckptReadObjType(stream: Stream, length: number, type: number): Uint8Array {
  checkLength(stream, 'len', length);
  if (length === 0) throw fault('EINVAL', stream, 'len is 0', { type, field: 'len' });
  const header = readSized(stream, length, 0, type);
  const record = readWhole(stream, header);
  checkType(stream, header, type);
  return record;
}

/**
 * Reads a whole record of `type`, header included, with `min` to `max` bytes of payload; where
 * `max` is 0, up to 16 MiB. Of another type it is read before it is refused.
 * @throws CkptError EINVAL for another length or type; the rest as {@link ckptReadObj}.
 */
export function ckptReadBufType(stream: Stream, max: number, type: number, min = 0): Uint8Array {
  const limit = totalLength(stream, 'max', max);
  checkLength(stream, 'min', min);
  const header = readSized(stream, 0, limit === 0 ? payloadMax + headerLength : limit, type);
  if (header.length < min + headerLength) {
    const payload = header.length - headerLength;
    throw fault('EINVAL', stream, `a payload of ${payload} bytes where ${min} are needed`, {
      type: header.type,
      field: 'len',
    });
  }
  const record = readWhole(stream, header);
  checkType(stream, header, type);
  return record;
}

/**
 * Reads the payload of a record of `type`, at most `max` bytes; where `max` is 0, only an empty
 * one. What is refused stays unread behind its header.
 * @throws CkptError EINVAL for another type or a longer one; the rest as {@link ckptReadObj}.
 */
export function ckptReadPayload(stream: Stream, max: number, type: number): Uint8Array {
  checkLength(stream, 'max', max);
  const header = readSized(stream, 0, 0, type);
  checkType(stream, header, type);
  const payload = header.length - headerLength;
  if (payload > max) {
    throw fault('EINVAL', stream, `a payload of ${payload} bytes where at most ${max} are taken`, {
      type,
      field: 'len',
    });
  }
  return readNew(stream, header, 0);
}

/**
 * Reads a STRING of at most `max` bytes as text: what is before its first NUL, or all when its
 * writer ended it with none. Whoever wants the bytes takes {@link ckptReadPayload}.
 * @throws CkptError EINVAL for an empty payload; the rest as {@link ckptReadPayload}.
 */
export function ckptReadString(stream: Stream, max: number): string {
  const bytes = ckptReadPayload(stream, max, CKPT_HDR_STRING);
  if (bytes.length > 0) return decodeText(bytes);
  throw fault('EINVAL', stream, 'a string of no bytes has not even a NUL', {
    type: CKPT_HDR_STRING,
    field: 'len',
  });
}

import { CKPT_HDR_BUFFER, CKPT_HDR_STRING } from '@ckpt/format';
import { checkLength, fault } from './fault.ts';
import type { Stream } from './file.ts';
import type { RecordHeader } from './header.ts';
import { checkType, readSized, totalLength } from './read.ts';
import { headerLength } from './record-memory.ts';
import { readPart } from './transfer.ts';

/**
 * Reads a record, its payload into `into`; with no memory the header alone. `length` and `max`
 * count the header: `length`, or where that is 0 at most `max`, or where both are 0 what fits.
 * The type is the caller's to check.
 * @throws CkptError EINVAL for another length or one that does not fit; EPIPE when the image ends
 * first; EIO with its text for an ERROR record; as read(2).
 */
export function _ckptReadObj(
  stream: Stream,
  into: Uint8Array | undefined,
  length: number,
  max: number,
): RecordHeader {
  checkLength(stream, 'len', length);
  checkLength(stream, 'max', max);
  return readInto(stream, into, length, max);
}

function readInto(
  stream: Stream,
  into: Uint8Array | undefined,
  length: number,
  max: number,
  wanted?: number,
): RecordHeader {
  const header = readSized(stream, length, max, wanted);
  if (into === undefined) return header;
  const payload = header.length - headerLength;
  const { type } = header;
  if (payload > into.length) {
    throw fault('EINVAL', stream, `a payload of ${payload} bytes does not fit ${into.length}`, {
      type,
      field: 'len',
    });
  }
  readPart(stream, into.subarray(0, payload), { type, field: 'payload' });
  return header;
}

/**
 * Reads a record of `type`, its payload into `into`; returns the length of the payload. `length`
 * is that of the payload, 0 for what fits. With no memory the payload stays unread. Of a wrong
 * type the payload is read before it is refused.
 * @throws CkptError EINVAL for another type; the rest as {@link _ckptReadObj}.
 */
export function _ckptReadObjType(
  stream: Stream,
  into: Uint8Array | undefined,
  length: number,
  type: number,
): number {
  const header = readInto(stream, into, totalLength(stream, 'len', length), 0, type);
  checkType(stream, header, type);
  return header.length - headerLength;
}

function readSome(
  stream: Stream,
  into: Uint8Array | undefined,
  length: number,
  type: number,
): number {
  if (length === 0) throw fault('EINVAL', stream, 'len is 0', { type, field: 'len' });
  return _ckptReadObjType(stream, into, length, type);
}

/**
 * Reads a BUFFER of exactly `length` bytes of payload; returns that.
 * @throws CkptError EINVAL when `length` is 0; the rest as {@link _ckptReadObjType}.
 */
export function _ckptReadBuffer(
  stream: Stream,
  into: Uint8Array | undefined,
  length: number = into?.length ?? 0,
): number {
  return readSome(stream, into, length, CKPT_HDR_BUFFER);
}

/**
 * Reads a STRING of exactly `length` bytes of payload, and makes the last of them NUL: for fields
 * of a fixed size.
 * @throws CkptError EINVAL when `length` is 0; the rest as {@link _ckptReadObjType}.
 */
export function _ckptReadString(
  stream: Stream,
  into: Uint8Array | undefined,
  length: number = into?.length ?? 0,
): void {
  readSome(stream, into, length, CKPT_HDR_STRING);
  if (into !== undefined) into[length - 1] = 0;
}

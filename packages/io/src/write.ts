import { CKPT_HDR_BUFFER, CKPT_HDR_STRING } from '@ckpt/format';
import { checkLength, fault } from './fault.ts';
import type { Stream } from './file.ts';
import { ckptHdrGetType, headerLength, u32Max } from './record-memory.ts';
import { writePart } from './transfer.ts';

/**
 * Writes a whole record in one transfer. Its length is that of the bytes, and must be what its
 * header says.
 * @throws CkptError EINVAL for another length; as write(2).
 */
export function ckptWriteObj(stream: Stream, record: Uint8Array): void {
  if (record.length < headerLength) {
    throw fault('EINVAL', stream, `${record.length} bytes are no record`, { field: 'len' });
  }
  const view = new DataView(record.buffer, record.byteOffset, record.length);
  const type = view.getUint32(0, true);
  const length = view.getUint32(4, true);
  if (length !== record.length) {
    throw fault('EINVAL', stream, `a record of ${record.length} bytes says that it has ${length}`, {
      type,
      field: 'len',
    });
  }
  stream.trace?.(`type ${type} len ${length}`);
  writePart(stream, record, { type });
}

/**
 * Writes a header of `type`, then the first `length` bytes of `payload`; of no payload the header
 * alone, which announces `length` bytes that the caller writes himself.
 * @throws CkptError EINVAL for a length that is negative, not there, or no u32 with its header;
 * as write(2).
 */
export function ckptWriteObjType(
  stream: Stream,
  payload: Uint8Array | undefined,
  length: number,
  type: number,
): void {
  checkLength(stream, 'len', length, u32Max - headerLength);
  checkLength(stream, 'type', type, u32Max);
  if (payload !== undefined && length > payload.length) {
    throw fault('EINVAL', stream, `a payload of ${length} bytes has only ${payload.length}`, {
      type,
      field: 'len',
    });
  }
  stream.trace?.(`type ${type} len ${length + headerLength}`);
  const header = ckptHdrGetType(headerLength, type);
  new DataView(header.buffer).setUint32(4, length + headerLength, true);
  writePart(stream, header, { type });
  if (payload === undefined || length === 0) return;
  writePart(stream, length === payload.length ? payload : payload.subarray(0, length), { type });
}

/** Writes a BUFFER record; the rest as {@link ckptWriteObjType}. */
export function ckptWriteBuffer(
  stream: Stream,
  payload: Uint8Array | undefined,
  length: number = payload?.length ?? 0,
): void {
  ckptWriteObjType(stream, payload, length, CKPT_HDR_BUFFER);
}

/** Writes a STRING record: exactly these bytes, no NUL is added; as {@link ckptWriteObjType}. */
export function ckptWriteString(
  stream: Stream,
  payload: Uint8Array | undefined,
  length: number = payload?.length ?? 0,
): void {
  ckptWriteObjType(stream, payload, length, CKPT_HDR_STRING);
}

import { CKPT_HDR_ERROR, type CkptErrorOptions } from '@ckpt/format';
import { errorRecord } from './error-record.ts';
import { fault, located } from './fault.ts';
import type { Stream } from './file.ts';
import { headerLength } from './record-memory.ts';
import { readFully } from './transfer.ts';

/** `struct ckpt_hdr` as it was met in an image. */
export interface RecordHeader {
  readonly type: number;
  /** Bytes of the record, these eight included; at least 8. */
  readonly length: number;
  /** Where the record starts, bytes from where `total` was 0. */
  readonly position: number;
}

/** Where a header is read to, and a way to look at it. */
interface Room {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** A room for the next header: for small records allocating one is most of the work (measured). */
let spare: Room | undefined;

/** Nobody else has this room: a file may be made of another one, and read headers in its `read`. */
function takeRoom(): Room {
  const room = spare;
  spare = undefined;
  if (room !== undefined) return room;
  const bytes = new Uint8Array(headerLength);
  return { bytes, view: new DataView(bytes.buffer) };
}

/** The record type that an error names. */
function about(type: number | undefined): CkptErrorOptions {
  return { field: 'h', ...(type === undefined ? {} : { type }) };
}

/**
 * Reads the header of the next record; undefined when the image ends cleanly before it. The one
 * place where headers are read, so that an ERROR record is met wherever it stands.
 * @throws CkptError EPIPE for a part of a header; EINVAL for a length under 8; EIO with the
 * writer's text for an ERROR record, positioned behind it; as read(2).
 */
export function readHeaderOrEnd(stream: Stream, wanted?: number): RecordHeader | undefined {
  const position = stream.total;
  const room = takeRoom();
  let done: number;
  try {
    done = readFully(stream.file, room.bytes);
  } catch (error) {
    throw located(error, stream, about(wanted));
  }
  if (done === 0) return undefined;
  if (done < headerLength) {
    throw fault(
      'EPIPE',
      stream,
      `the image ends after ${done} of 8 bytes of a header`,
      about(wanted),
    );
  }
  stream.total += headerLength;
  const type = room.view.getUint32(0, true);
  const length = room.view.getUint32(4, true);
  spare = room;
  if (length < headerLength) {
    throw fault('EINVAL', stream, `a record of ${length} bytes has no room for its header`, {
      type,
      field: 'len',
    });
  }
  if (type === CKPT_HDR_ERROR) throw errorRecord(stream, length - headerLength);
  return { type, length, position };
}

/**
 * Reads the header of the next record, which must be there. `wanted` is only named in the error.
 * @throws CkptError EPIPE at the end of the image; the rest as {@link readHeaderOrEnd}.
 */
export function readHeader(stream: Stream, wanted?: number): RecordHeader {
  const header = readHeaderOrEnd(stream, wanted);
  if (header !== undefined) return header;
  throw fault('EPIPE', stream, 'the image ends where a record is due', about(wanted));
}

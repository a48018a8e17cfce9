/**
 * A second reader of images, written from the specification alone and as plainly as can be. It
 * imports nothing but its own files, so that it shares no mistake with the packages.
 */

/** The first thing that is wrong with an image. */
export class Defect extends Error {
  override readonly name = 'Defect';
  /** "EPIPE" */
  readonly errno: string;
  /** Bytes that had been read completely when it was noticed, or the record that it is about. */
  readonly position: number;
  /** What the writer of the image left. */
  readonly text: string | undefined;

  constructor(errno: string, position: number, message: string, text?: string) {
    super(message);
    this.errno = errno;
    this.position = position;
    this.text = text;
  }
}

/** Bytes, and how many of them were read. */
export interface Cursor {
  readonly view: DataView;
  total: number;
}

export interface Header {
  readonly type: number;
  readonly length: number;
  /** Where the record starts. */
  readonly start: number;
}

const STRING = 4;
const ERROR = 9999;
/** Bytes of an error's text that count. */
const textMax = 4096;

export function cursorOf(bytes: Uint8Array): Cursor {
  return { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), total: 0 };
}

export function bytesAt({ view }: Cursor, start: number, end: number): Uint8Array {
  const last = Math.min(end, view.byteLength);
  return new Uint8Array(view.buffer, view.byteOffset + start, Math.max(0, last - start));
}

/** Reads on. @throws Defect EPIPE when there is not so much; nothing counts as read then. */
export function take(cursor: Cursor, length: number): Uint8Array {
  const start = cursor.total;
  if (start + length > cursor.view.byteLength) throw new Defect('EPIPE', start, 'the end');
  cursor.total += length;
  return bytesAt(cursor, start, start + length);
}

/** Without the NUL before it, up to the next one, without white space at its end. */
function textOf(bytes: Uint8Array): string {
  let from = 0;
  if (bytes[0] === 0) from = 1;
  let to = from;
  while (to < bytes.length && bytes[to] !== 0) to++;
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  return decoder.decode(bytes.subarray(from, to)).trimEnd();
}

/** ERROR with its text inside, or an empty one and a STRING. */
function errorRecord(cursor: Cursor, payload: number): Defect {
  const { view, total } = cursor;
  if (payload > 0) {
    const text = textOf(take(cursor, payload).subarray(0, textMax));
    return new Defect('EIO', cursor.total, 'an error record', text);
  }
  let text = '';
  if (total + 8 <= view.byteLength && view.getUint32(total, true) === STRING) {
    const length = Math.max(0, view.getUint32(total + 4, true) - 8);
    text = textOf(bytesAt(cursor, total + 8, total + 8 + Math.min(length, textMax)));
  }
  return new Defect('EIO', total, 'an error record', text);
}

/** Reads the eight bytes that open a record. */
export function header(cursor: Cursor): Header {
  const start = cursor.total;
  take(cursor, 8);
  const type = cursor.view.getUint32(start, true);
  const length = cursor.view.getUint32(start + 4, true);
  if (length < 8) throw new Defect('EINVAL', cursor.total, 'a length under 8');
  if (type === ERROR) throw errorRecord(cursor, length - 8);
  return { type, length, start };
}

/** Reads a record of just that length and type; returns where it starts. */
export function record(cursor: Cursor, length: number, type: number): number {
  const found = header(cursor);
  if (found.length !== length) throw new Defect('EINVAL', cursor.total, 'another length');
  take(cursor, length - 8);
  if (found.type !== type) throw new Defect('EINVAL', cursor.total, 'another type');
  return found.start;
}

/** Every record to the end of the bytes. */
export function frames(bytes: Uint8Array): readonly Header[] {
  const cursor = cursorOf(bytes);
  const found: Header[] = [];
  while (cursor.total < bytes.length) {
    const one = header(cursor);
    found.push(one);
    take(cursor, one.length - 8);
  }
  return found;
}

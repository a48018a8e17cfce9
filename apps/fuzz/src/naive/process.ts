import { cursorOf, Defect, header, take, type Cursor, type Header } from './cursor.ts';
import { readBase, readOpening, type Kernel, type Reading } from './base.ts';
import { readMetadata, type Metadata, type Shapes } from './metadata.ts';

const PAD = 807;
const PAGES = 808;
const TAIL = 9001;
const MAGIC_TAIL = 0x002d2a0cc0deef00n;
const payloadMax = 16 << 20;

/** The next record, of that type; one PAD may stand before it. */
function expect(cursor: Cursor, type: number, pageSize: number): Header {
  let one = header(cursor);
  if (one.type === PAD) {
    if (one.length > 8 + 2 * pageSize) throw new Defect('EINVAL', cursor.total, 'a long PAD');
    const zeros = take(cursor, one.length - 8);
    if (zeros.some((byte) => byte !== 0)) throw new Defect('EINVAL', cursor.total, 'PAD');
    one = header(cursor);
  }
  if (one.type !== type) throw new Defect('EINVAL', cursor.total, 'another record');
  return one;
}

/** Reads one PAGES record; returns how many pages it has. */
function readRun(cursor: Cursor, done: number, { pageSize, pages }: Metadata): number {
  const { start, length } = expect(cursor, PAGES, pageSize);
  if (length < 24) throw new Defect('EINVAL', cursor.total, 'a short PAGES');
  take(cursor, 16);
  const { view, total } = cursor;
  const count = view.getUint32(start + 16, true);
  const bad = (errno = 'EINVAL'): Defect => new Defect(errno, total, 'PAGES');
  if (view.getBigUint64(start + 8, true) !== BigInt(done)) throw bad();
  if (count === 0 || count * pageSize > payloadMax || done + count > pages) throw bad();
  if (view.getUint16(start + 20, true) !== 0) throw bad('ENOSYS');
  if (view.getUint16(start + 22, true) !== 0) throw bad('ENOSYS');
  if (length !== 24 + count * pageSize || total % pageSize !== 0) throw bad();
  take(cursor, count * pageSize);
  return count;
}

/** Reads what stands behind the metadata. */
function readPages(cursor: Cursor, metadata: Metadata): void {
  let done = 0;
  while (done < metadata.pages) done += readRun(cursor, done, metadata);
  const { start, length } = expect(cursor, TAIL, metadata.pageSize);
  if (length !== 16) throw new Defect('EINVAL', cursor.total, 'another length');
  take(cursor, 8);
  if (cursor.view.getBigUint64(start + 8, true) === MAGIC_TAIL) return;
  throw new Defect('EINVAL', cursor.total, 'magic of the tail');
}

/** Reads an image of either revision to its end. */
export function readImage(bytes: Uint8Array, shapes: Shapes, kernel?: Kernel): Reading {
  const cursor = cursorOf(bytes);
  const opening = readOpening(cursor, kernel);
  if (opening.revision === 3) return readBase(cursor, opening);
  const metadata = readMetadata(cursor, 0, shapes);
  readPages(cursor, metadata);
  return { ...opening, length: cursor.total, pages: metadata.pages };
}

import {
  ArrayHeader,
  crc32c,
  headerSize,
  MetaEnd,
  Pages,
  Store,
  Tail,
  CHECKPOINT_MAGIC_TAIL,
  CKPT_HDR_PAD,
  type Struct,
} from '@ckpt/format';

/** Bytes of the pages that images are made with here. */
export const pageSize = 4096;

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A record around a payload; its header may lie. */
export function rawRecord(
  type: number,
  payload: Uint8Array,
  length = payload.length + headerSize,
): Uint8Array {
  const bytes = new Uint8Array(headerSize + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, length, true);
  bytes.set(payload, headerSize);
  return bytes;
}

export function arrayRecord(element: Struct<unknown>, values: readonly unknown[]): Uint8Array {
  const head = ArrayHeader.encode({ count: values.length, element_size: element.size });
  const record = joined([head, ...values.map((value) => element.encode(value))]);
  new DataView(record.buffer).setUint32(4, record.length, true);
  return record;
}

/** Records of an image as far as their headers lead; the rest, if any, is the last part. */
export function split(bytes: Uint8Array): readonly Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const parts: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length) {
    const length = at + headerSize <= bytes.length ? view.getUint32(at + 4, true) : 0;
    const end = length < headerSize ? bytes.length : Math.min(at + length, bytes.length);
    parts.push(bytes.subarray(at, end));
    at = end;
  }
  return parts;
}

/** Type of a record; 0 of what has no header. */
export function typeOf(record: Uint8Array): number {
  if (record.length < headerSize) return 0;
  return new DataView(record.buffer, record.byteOffset).getUint32(0, true);
}

const closing = (before: Uint8Array): Uint8Array =>
  MetaEnd.encode({ length: BigInt(before.length), algorithm: 1, checksum: crc32c(before) });

/** PAD, PAGES and their payload, behind `position` bytes. */
function pagesFrom(position: number, count: number): readonly Uint8Array[] {
  if (count === 0) return [];
  const over = (position + Pages.size) % pageSize;
  const gap = over === 0 ? 0 : pageSize - over;
  const pad = gap > 0 && gap < headerSize ? gap + pageSize : gap;
  const record = new Uint8Array(Pages.size + count * pageSize);
  record.set(Pages.encode({ first: 0n, count, codec: 0, flags: 0 }));
  new DataView(record.buffer).setUint32(4, record.length, true);
  for (let page = 0; page < count; page++) record[Pages.size + page * pageSize] = page + 1;
  return pad === 0 ? [record] : [rawRecord(CKPT_HDR_PAD, new Uint8Array(pad - headerSize)), record];
}

/** A revision 100 image around all of its records up to STORE. */
export function closed(records: readonly Uint8Array[], pages: number): Uint8Array {
  const before = joined([...records, Store.encode({ pages: BigInt(pages) })]);
  const metadata = joined([before, closing(before)]);
  const tail = Tail.encode({ magic: CHECKPOINT_MAGIC_TAIL });
  return joined([metadata, ...pagesFrom(metadata.length, pages), tail]);
}

/** The image with what META_END should say of changed metadata, and its pages where they belong. */
export function sealed(parts: readonly Uint8Array[]): Uint8Array {
  const end = parts.findIndex((part) => typeOf(part) === MetaEnd.type);
  if (end < 0) return joined(parts);
  const before = joined(parts.slice(0, end));
  const behind = parts.slice(end + 1);
  const paddedFor = behind.findIndex((part) => typeOf(part) === Pages.type);
  const head = joined([before, closing(before)]);
  if (paddedFor < 0 || paddedFor > 1) return joined([head, ...behind]);
  const pad = pagesFrom(head.length, 1).slice(0, -1);
  return joined([head, ...pad, ...behind.slice(paddedFor)]);
}

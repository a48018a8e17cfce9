import { CKPT_HDR_PAD, Pages, pagesMax } from '@ckpt/format';
import { headerSize } from './record-writer.ts';

/** One PAGES record, and what stands before its payload. */
export interface PageChunk {
  /** Index of its first page, and how many there are. */
  readonly first: number;
  readonly count: number;
  /** PAD, if one is needed, and the fields of PAGES. */
  readonly head: Uint8Array;
}

/** Header and zeros of a PAD record; nothing where no padding is due. */
function padding(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  if (length === 0) return bytes;
  const view = new DataView(bytes.buffer);
  view.setUint32(0, CKPT_HDR_PAD, true);
  view.setUint32(4, length, true);
  return bytes;
}

/** Bytes of PAD between `position` and the PAGES record, so that its payload is aligned. */
function padLength(position: number, pageSize: number): number {
  const over = (position + Pages.size) % pageSize;
  const gap = over === 0 ? 0 : pageSize - over;
  // A record has at least its header.
  return gap > 0 && gap < headerSize ? gap + pageSize : gap;
}

/** The PAGES records of a store, from `position` on: bytes from the image's first one. */
export function* pageChunks(
  pages: number,
  pageSize: number,
  position: number,
): Generator<PageChunk, void, undefined> {
  const most = Math.floor(pagesMax / pageSize);
  let at = position;
  for (let first = 0; first < pages; first += most) {
    const count = Math.min(most, pages - first);
    const pad = padLength(at, pageSize);
    const head = new Uint8Array(pad + Pages.size);
    head.set(padding(pad));
    head.set(Pages.encode({ first: BigInt(first), count, codec: 0, flags: 0 }), pad);
    new DataView(head.buffer).setUint32(pad + 4, Pages.size + count * pageSize, true);
    yield { first, count, head };
    at += head.length + count * pageSize;
  }
}

import { crc32c } from '@ckpt/format';

/** Bytes of a page that are told elsewhere, or that the kernel itself changes: not part of a digest. */
export interface Hole {
  readonly start: number;
  readonly end: number;
}

const pageSize = 4096;
const words = pageSize / 8;
/** The upper half of word n of a page that was made from a digest is this and n. */
const mark = 0x636b_7000;

/**
 * A page that stands for a digest where the content itself was not kept: the digest of this page
 * is `digest` again, with whatever holes, so that facts stay equal through an image.
 */
export function pageOf(digest: number): Uint8Array {
  const page = new Uint32Array(pageSize / 4);
  if (digest !== 0) {
    for (let word = 0; word < words; word++) {
      page[word * 2] = digest;
      page[word * 2 + 1] = mark + word;
    }
  }
  return new Uint8Array(page.buffer);
}

function punched(page: Uint8Array, holes: readonly Hole[]): Uint8Array {
  if (holes.length === 0) return page;
  const copy = page.slice();
  for (const { start, end } of holes) copy.fill(0, start, end);
  return copy;
}

const same = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, index) => byte === b[index]);

/** The digest that a page was made from; undefined for a page of a program. */
function madeFrom(page: Uint8Array, holes: readonly Hole[]): number | undefined {
  const view = new DataView(page.buffer, page.byteOffset, page.length);
  for (let word = 0; word < words; word++) {
    const at = word * 8;
    if (holes.some(({ start, end }) => at < end && at + 8 > start)) continue;
    if (view.getUint32(at + 4, true) !== mark + word) return undefined;
    const digest = view.getUint32(at, true);
    return same(punched(pageOf(digest), holes), punched(page, holes)) ? digest : undefined;
  }
  return undefined;
}

/** What stands for the content of a page, as 32 bits; 0 for one of zeros alone. */
export function pageDigest(page: Uint8Array, holes: readonly Hole[] = []): number {
  const made = madeFrom(page, holes);
  if (made !== undefined) return made;
  const content = punched(page, holes);
  if (content.every((byte) => byte === 0)) return 0;
  return crc32c(content) || 1;
}

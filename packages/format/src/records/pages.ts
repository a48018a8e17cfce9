import { u16, u32, u64 } from '../field.ts';
import { byteSize, flags, hex, oneOf } from '../notation.ts';
import { record, type Infer } from '../struct.ts';

/** Known before the first page is written: pages are scanned first. */
export const Store = record('STORE', 805, 'How many pages the image stores.', {
  pages: u64('pages in all PAGES records'),
});
export type Store = Infer<typeof Store>;

export const checksums = { crc32c: 1 };

/** Metadata is small and must not be wrong: every byte of it is covered. */
export const MetaEnd = record(
  'META_END',
  806,
  'Closes the metadata: from here on there are only pages, and TAIL.',
  {
    length: u64('bytes from the first of the image to this record', byteSize),
    algorithm: u32('of the checksum', oneOf(checksums, '', { others: true })),
    checksum: u32('over those bytes', hex),
  },
);
export type MetaEnd = Infer<typeof MetaEnd>;

/** A bare header and zeros, so that the payload of the next PAGES is aligned. */
export const CKPT_HDR_PAD = 807;

export const codecs = { none: 0 };

/** The payload (`count` pages, packed by `codec`) follows these fields in the same record. */
export const Pages = record('PAGES', 808, 'Stored pages; they follow in the same record.', {
  first: u64('index of the first page in the store'),
  count: u32('pages in this record; at most 16 MiB of them'),
  codec: u16('how the payload is packed', oneOf(codecs)),
  flags: u16('zero: none are defined', flags({})),
});
export type Pages = Infer<typeof Pages>;

/** Bytes of pages that one PAGES record may hold. */
export const pagesMax = 16 << 20;

/** Reserved: digests per chunk, one over all, signed; sealed images; cycles between objects. */
export const CKPT_HDR_PAGES_DIGEST = 809;
export const CKPT_HDR_ROOT = 810;
export const CKPT_HDR_SIGNATURE = 811;
export const CKPT_HDR_ENVELOPE = 812;
export const CKPT_HDR_LINK = 813;

/** A record whose type has this bit may be skipped by who does not know it. */
export const CKPT_HDR_SKIPPABLE = 0x80000000;

import { HeaderArch, Identity, Store, Thread, Vma, type RecordType } from '@ckpt/format';
import type { Stream } from '@ckpt/io';
import { ImageDocument } from './document.ts';
import type { Opening } from './image-opening.ts';
import { limits } from './limits.ts';
import { MetadataReader } from './metadata-reader.ts';
import { typeTable, type ClaimedType } from './record-types.ts';
import type { Document } from './resource.ts';

/** Everything before the pages of a revision 100 image. */
export interface Metadata {
  readonly opening: Opening;
  readonly document: Document;
  readonly identity: Identity;
  readonly arch: HeaderArch;
  /** Pages in the store. */
  readonly pages: number;
  /** Byte offset behind META_END. */
  readonly end: number;
}

function checkCount(document: Document, type: RecordType<unknown>, most: number): void {
  const beyond = document.all(type)[most];
  if (beyond === undefined) return;
  throw beyond.invalid('type', `more than ${most} ${type.name} records`, 'E2BIG');
}

/**
 * Reads all metadata of a revision 100 image, behind its opening, in bounded memory.
 * @param claims Records that the kinds of resource know; without them all known ones are taken.
 * @throws CkptError with position, record type and field for whatever is wrong with it.
 */
export function readMetadata(
  stream: Stream,
  opening: Opening,
  claims?: readonly ClaimedType[],
): Metadata {
  const types = typeTable(claims);
  const records = new MetadataReader(stream, opening, types).read();
  const document = new ImageDocument(records, types, stream.total);
  checkCount(document, Thread, limits.threads);
  checkCount(document, Vma, limits.mappings);
  const store = document.one(Store);
  if (store.value.pages > limits.pages) {
    throw store.invalid('pages', `${store.value.pages} pages, at most ${limits.pages}`, 'E2BIG');
  }
  return {
    opening,
    document,
    identity: checkedIdentity(document),
    arch: document.one(HeaderArch).value,
    pages: Number(store.value.pages),
    end: stream.total,
  };
}

/** Bytes. No processor has smaller pages than 4 KiB, none of Linux larger than 64 KiB. */
const pageSizes = [4096, 8192, 16384, 32768, 65536];

function checkedIdentity(document: Document): Identity {
  const record = document.one(Identity);
  const { page_size, alignment, parent } = record.value;
  if (!pageSizes.includes(page_size)) {
    throw record.invalid('page_size', `pages of ${page_size} bytes`);
  }
  if (alignment !== page_size) {
    throw record.invalid('alignment', `pages aligned to ${alignment} bytes, not ${page_size}`);
  }
  if (parent.some((byte) => byte !== 0)) {
    throw record.invalid('parent', 'an image that adds to another one is not supported', 'ENOSYS');
  }
  return record.value;
}

import {
  CHECKPOINT_MAGIC_TAIL,
  CKPT_HDR_PAD,
  CkptError,
  codecs,
  Pages,
  pagesMax,
  Tail,
  type ErrnoName,
} from '@ckpt/format';
import { ckptKread, readHeader, skipPayload, type RecordHeader, type Stream } from '@ckpt/io';
import type { PageReader } from './host.ts';
import { headerSize } from './record-writer.ts';
import { recordName } from './record-types.ts';

/** What META_END and the records before it said of the pages. */
export interface PageLayout {
  readonly pages: number;
  /** Bytes of a page, and what the payload of PAGES is aligned to. */
  readonly pageSize: number;
  /** `total` of the stream where the image starts. */
  readonly start: number;
  /** Is told how many pages were passed so far. */
  readonly passed?: (pages: number) => void;
}

/** Walks PAD and PAGES records up to the TAIL, in bounded memory. */
class StreamPages implements PageReader {
  readonly #stream: Stream;
  readonly #layout: PageLayout;
  #index = 0;
  /** Pages of the record at hand that were not read yet. */
  #open = 0;
  #finished = false;

  constructor(stream: Stream, layout: PageLayout) {
    this.#stream = stream;
    this.#layout = layout;
  }

  get index(): number {
    return this.#index;
  }

  get position(): number {
    return this.#stream.total;
  }

  ready(): number {
    while (this.#open === 0 && this.#index < this.#layout.pages) this.#enter();
    return this.#open;
  }

  read(into: Uint8Array): void {
    const { pageSize } = this.#layout;
    for (let done = 0; done < into.length;) {
      const pages = Math.min(this.#some(), Math.floor((into.length - done) / pageSize));
      if (pages === 0) throw new Error(`${into.length} bytes are not whole pages`);
      ckptKread(this.#stream, into.subarray(done, done + pages * pageSize));
      this.#pass(pages);
      done += pages * pageSize;
    }
  }

  taken(pages: number): void {
    if (pages > this.#open) throw new Error(`${pages} pages taken of ${this.#open}`);
    this.#stream.total += pages * this.#layout.pageSize;
    this.#pass(pages);
  }

  skip(pages: number): void {
    for (let left = pages; left > 0;) {
      const count = Math.min(this.#some(), left);
      skipPayload(this.#stream, count * this.#layout.pageSize, Pages.type);
      this.#pass(count);
      left -= count;
    }
  }

  finish(): void {
    if (this.#finished) return;
    this.skip(this.#layout.pages - this.#index);
    const bytes = this.#payload(this.#expect(Tail.type), Tail.size);
    const { magic } = Tail.decode(bytes);
    if (magic !== CHECKPOINT_MAGIC_TAIL) {
      throw this.#error(Tail.type, `magic 0x${magic.toString(16)}`, 'magic');
    }
    this.#finished = true;
  }

  #pass(pages: number): void {
    this.#open -= pages;
    this.#index += pages;
    this.#layout.passed?.(this.#index);
  }

  /** Pages at hand. @throws CkptError EINVAL when all were read. */
  #some(): number {
    const pages = this.ready();
    if (pages > 0) return pages;
    throw this.#error(Pages.type, `the store has only ${this.#layout.pages} pages`, 'count');
  }

  /** Enters the next PAGES record. */
  #enter(): void {
    const header = this.#expect(Pages.type);
    const view = new Uint8Array(Pages.size);
    if (header.length < Pages.size) {
      throw this.#error(Pages.type, `a PAGES record of ${header.length} bytes`, 'len');
    }
    ckptKread(this.#stream, view.subarray(headerSize));
    const { first, count, codec, flags } = Pages.decode(view);
    const { pageSize, pages, start } = this.#layout;
    const wrong = (sentence: string, field: string, code: ErrnoName = 'EINVAL'): CkptError =>
      this.#error(Pages.type, sentence, field, code);
    if (first !== BigInt(this.#index))
      throw wrong(`page ${first} where ${this.#index} is due`, 'first');
    if (count === 0 || count * pageSize > pagesMax || this.#index + count > pages) {
      throw wrong(
        `${count} pages of ${pages - this.#index}, in at most ${pagesMax} bytes`,
        'count',
      );
    }
    if (codec !== codecs.none) throw wrong(`codec ${codec}`, 'codec', 'ENOSYS');
    if (flags !== 0) throw wrong(`flags 0x${flags.toString(16)}`, 'flags', 'ENOSYS');
    if (header.length !== Pages.size + count * pageSize) {
      throw wrong(`${count} pages in ${header.length} bytes`, 'len');
    }
    if ((this.#stream.total - start) % pageSize !== 0) {
      throw wrong(`pages at ${this.#stream.total - start}, not aligned to ${pageSize}`, 'len');
    }
    this.#open = count;
  }

  /** Header of the next record, which must be of that type; one PAD may stand before it. */
  #expect(type: number): RecordHeader {
    let header = readHeader(this.#stream, type);
    if (header.type === CKPT_HDR_PAD) {
      this.#zeros(header);
      header = readHeader(this.#stream, type);
    }
    if (header.type === type) return header;
    const sentence = `${recordName(header.type)} where ${recordName(type)} is due`;
    throw this.#error(header.type, sentence, 'type');
  }

  /** Reads a PAD record: nothing hides in it. */
  #zeros(header: RecordHeader): void {
    const most = headerSize + 2 * this.#layout.pageSize;
    if (header.length > most) {
      throw this.#error(header.type, `${header.length} bytes of padding, at most ${most}`, 'len');
    }
    const bytes = this.#payload(header, header.length);
    if (bytes.some((byte) => byte !== 0)) {
      throw this.#error(header.type, 'padding that is not zero', 'payload');
    }
  }

  /** The record with its payload, its header left zero. */
  #payload(header: RecordHeader, length: number): Uint8Array {
    if (header.length !== length) {
      throw this.#error(header.type, `${header.length} bytes where ${length} are due`, 'len');
    }
    const bytes = new Uint8Array(length);
    ckptKread(this.#stream, bytes.subarray(headerSize));
    return bytes;
  }

  #error(type: number, sentence: string, field: string, code: ErrnoName = 'EINVAL'): CkptError {
    const options = { position: this.#stream.total, path: [recordName(type)], type, field };
    return new CkptError(code, sentence, options);
  }
}

/** The pages of an image whose stream stands behind META_END. */
export function createPageReader(stream: Stream, layout: PageLayout): PageReader {
  return new StreamPages(stream, layout);
}

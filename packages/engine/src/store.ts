import { CkptError } from '@ckpt/format';
import type { Store, StoreSource } from './resource.ts';

/** Pages of the store that come from one place. */
export interface StoredRun {
  readonly source: StoreSource;
  /** Index of the first in the store. */
  readonly first: number;
  readonly pages: number;
}

/** Numbers the pages of an image, and remembers where their bytes are. */
export class PageStore implements Store {
  readonly #pageSize: number;
  readonly #runs: StoredRun[] = [];
  #pages = 0;

  /** `pageSize` in bytes. */
  constructor(pageSize: number) {
    this.#pageSize = pageSize;
  }

  get pages(): number {
    return this.#pages;
  }

  /** In the order of their indexes, without gaps. */
  get runs(): readonly StoredRun[] {
    return this.#runs;
  }

  /** @throws CkptError EINVAL for a number of pages that is none, or not enough for the bytes. */
  add(source: StoreSource, pages: number): number {
    if (!Number.isSafeInteger(pages) || pages < 0) {
      throw new CkptError('EINVAL', `${pages} pages cannot be stored`);
    }
    if ('bytes' in source && source.bytes.length > pages * this.#pageSize) {
      throw new CkptError('EINVAL', `${source.bytes.length} bytes do not fit ${pages} pages`);
    }
    const first = this.#pages;
    if (pages > 0) this.#runs.push({ source, first, pages });
    this.#pages += pages;
    return first;
  }
}

import { makeDevice } from './device.ts';

/** What a mapping with a file behind it leads to. Pages are numbered from its start. */
export interface MemoryObject {
  /** As /proc/PID/maps names it. */
  mapName(): string;
  readonly device: bigint;
  readonly inode: bigint;
  /** True where a page of it is in memory. */
  has(page: bigint): boolean;
  /** Bytes within one page. @throws CkptError ENODATA where the model does not know them. */
  read(offset: bigint, length: number): Uint8Array;
  /** Puts a whole page there. */
  store(page: bigint, bytes: Uint8Array): void;
}

/** Memory that mappings share (MAP_SHARED | MAP_ANONYMOUS): a file of shmem without a name. */
export class SharedMemory implements MemoryObject {
  readonly device = makeDevice(0, 1);
  readonly inode: bigint;
  readonly #pages = new Map<bigint, Uint8Array>();

  constructor(inode: bigint) {
    this.inode = inode;
  }

  mapName(): string {
    return '/dev/zero (deleted)';
  }

  has(page: bigint): boolean {
    return this.#pages.has(page);
  }

  read(offset: bigint, length: number): Uint8Array {
    const start = Number(offset % 4096n);
    const page = this.#pages.get(offset / 4096n);
    return page === undefined ? new Uint8Array(length) : page.slice(start, start + length);
  }

  store(page: bigint, bytes: Uint8Array): void {
    this.#pages.set(page, bytes);
  }
}

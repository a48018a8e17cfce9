import { CkptError } from '@ckpt/format';
import type { FileExtents, FileStat } from '../file-stat.ts';
import type { FileLock } from './locks.ts';
import type { MemoryObject } from './memory-object.ts';
import type { PipeRing } from './pipe.ts';
import { refuse } from './refuse.ts';

/** Types of files in st_mode (inode(7)). */
export const S_IFMT = 0o170000;
export const S_IFDIR = 0o040000;
export const S_IFREG = 0o100000;
export const S_IFIFO = 0o010000;
export const S_IFCHR = 0o020000;
export const S_IFLNK = 0o120000;
export const S_IFSOCK = 0o140000;

const pageSize = 4096;

const ascending = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);

/** A file, whatever its names. */
export class Inode implements MemoryObject {
  stat: FileStat;
  readonly locks: FileLock[] = [];
  /** F_ADD_SEALS of fcntl(2); undefined for what cannot be sealed. */
  seals: number | undefined;
  /** Of a FIFO that is open. */
  ring: PipeRing | undefined;
  readonly #pages = new Map<bigint, Uint8Array>();
  /** Parts of the content that are known, by where they begin. */
  readonly #known: { readonly offset: bigint; readonly bytes: Uint8Array }[] = [];
  /** True for a file that was made here: what was never written is zeros. */
  readonly #isNew: boolean;
  #name = '';

  constructor(stat: FileStat, isNew = false) {
    this.stat = stat;
    this.#isNew = isNew;
  }

  get type(): number {
    return this.stat.mode & S_IFMT;
  }

  get device(): bigint {
    return this.stat.dev;
  }

  get inode(): bigint {
    return this.stat.ino;
  }

  /** Its name, for those who list mappings. */
  set name(path: string) {
    this.#name = path;
  }

  mapName(): string {
    return this.#name + (this.stat.nlink === 0 ? ' (deleted)' : '');
  }

  has(page: bigint): boolean {
    return this.#pages.has(page);
  }

  /** Tells the model what stands in the file. */
  learn(offset: bigint, bytes: Uint8Array): void {
    this.#known.push({ offset, bytes });
  }

  read(offset: bigint, length: number): Uint8Array {
    const start = Number(offset % BigInt(pageSize));
    const page = this.#pages.get(offset / BigInt(pageSize));
    if (page !== undefined) return page.slice(start, start + length);
    if (this.#isNew) return new Uint8Array(length);
    const part = this.#known.find(
      (each) =>
        each.offset <= offset && each.offset + BigInt(each.bytes.length) >= offset + BigInt(length),
    );
    if (part === undefined) {
      throw new CkptError('ENODATA', `the model does not know what ${this.#name} holds`);
    }
    const skip = Number(offset - part.offset);
    return part.bytes.slice(skip, skip + length);
  }

  /** What read(2) gives: as much as there is. */
  readAt(offset: bigint, length: number): Uint8Array {
    const left = this.stat.size - offset;
    const count = left < 0n ? 0 : left < BigInt(length) ? Number(left) : length;
    const bytes = new Uint8Array(count);
    for (let done = 0; done < count;) {
      const at = offset + BigInt(done);
      const part = Math.min(pageSize - Number(at % BigInt(pageSize)), count - done);
      bytes.set(this.read(at, part), done);
      done += part;
    }
    return bytes;
  }

  /** Seals, and where there is data: pages that were written. */
  extents(): FileExtents {
    const { seals } = this;
    if (!this.#isNew) return { seals, data: undefined };
    const size = BigInt(pageSize);
    const starts = [...this.#pages.keys()].map((page) => page * size).sort(ascending);
    const data: { offset: bigint; length: bigint }[] = [];
    for (const offset of starts) {
      const last = data.at(-1);
      const left = this.stat.size - offset;
      if (left <= 0n) break;
      const length = left < size ? left : size;
      if (last === undefined || last.offset + last.length !== offset) data.push({ offset, length });
      else last.length += length;
    }
    return { seals, data };
  }

  store(page: bigint, bytes: Uint8Array): void {
    this.#pages.set(page, bytes);
  }

  /** Writes, and grows. */
  write(offset: bigint, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) {
      const at = offset + BigInt(done);
      const start = Number(at % BigInt(pageSize));
      const length = Math.min(pageSize - start, bytes.length - done);
      const page = this.read(at - BigInt(start), pageSize).slice();
      page.set(bytes.subarray(done, done + length), start);
      this.#pages.set(at / BigInt(pageSize), page);
      done += length;
    }
    const end = offset + BigInt(bytes.length);
    if (end > this.stat.size) this.stat = { ...this.stat, size: end };
  }
}

/** A name of a file: still there, or taken away while somebody had it open. */
export interface Entry {
  readonly path: string;
  readonly inode: Inode;
  isDeleted: boolean;
}

const parentOf = (path: string): string => path.slice(0, Math.max(path.lastIndexOf('/'), 1));

/** Files by their absolute paths, without symbolic links. Directories that hold files are there. */
export class FileSystem {
  readonly #entries = new Map<string, Entry>();
  readonly #inodes = new Map<string, Inode>();
  readonly #nextInode: () => bigint;

  constructor(nextInode: () => bigint) {
    this.#nextInode = nextInode;
  }

  /** Paths of all files that are there. */
  get paths(): readonly string[] {
    return [...this.#entries.keys()];
  }

  /** Puts a file there as stat(2) tells it. */
  add(path: string, stat: FileStat): Entry {
    this.#addParents(path);
    const key = `${stat.dev.toString()}:${stat.ino.toString()}`;
    const inode = this.#inodes.get(key) ?? new Inode(stat);
    this.#inodes.set(key, inode);
    inode.name = path;
    const entry: Entry = { path, inode, isDeleted: false };
    this.#entries.set(path, entry);
    return entry;
  }

  #addParents(path: string): void {
    for (let at = parentOf(path); !this.#entries.has(at); at = parentOf(at)) {
      const inode = new Inode(this.#newStat(S_IFDIR | 0o755, 0, 0), true);
      this.#entries.set(at, { path: at, inode, isDeleted: false });
      if (at === '/') break;
    }
  }

  #newStat(mode: number, uid: number, gid: number): FileStat {
    const [dev, rdev, size, mtime] = [0xfe00n, 0n, 0n, 0n];
    const nlink = (mode & S_IFMT) === S_IFDIR ? 2 : 1;
    return { dev, ino: this.#nextInode(), mode, nlink, uid, gid, rdev, size, mtime };
  }

  entry(path: string): Entry | undefined {
    return this.#entries.get(path);
  }

  /** @throws CkptError ENOENT, ENOTDIR. */
  create(path: string, mode: number, uid: number, gid: number): Entry {
    const parent = this.entry(parentOf(path)) ?? refuse('ENOENT', `no directory for ${path}`);
    if (parent.inode.type !== S_IFDIR) refuse('ENOTDIR', `${parent.path} is no directory`);
    const inode = new Inode(this.#newStat(S_IFREG | mode, uid, gid), true);
    inode.name = path;
    const entry = { path, inode, isDeleted: false };
    this.#entries.set(path, entry);
    return entry;
  }

  /** @throws CkptError ENOENT, EISDIR. */
  unlink(path: string): void {
    const entry = this.entry(path) ?? refuse('ENOENT', `${path} is not there`);
    const { inode } = entry;
    if (inode.type === S_IFDIR) refuse('EISDIR', `${path} is a directory`);
    inode.stat = { ...inode.stat, nlink: Math.max(0, inode.stat.nlink - 1) };
    entry.isDeleted = true;
    this.#entries.delete(path);
  }
}

import type { OpenFile } from './open-file.ts';
import { refuse } from './refuse.ts';

/** open(2) of x86-64. */
const O_PATH = 0o1000_0000;

export interface Descriptor {
  readonly file: OpenFile;
  closeOnExec: boolean;
}

/** Descriptors of a process. */
export class DescriptorTable {
  readonly #descriptors = new Map<number, Descriptor>();
  readonly #limit: () => number;

  /** `limit`: RLIMIT_NOFILE as it then is. */
  constructor(limit: () => number) {
    this.#limit = limit;
  }

  /** Ascending. */
  get numbers(): readonly number[] {
    return [...this.#descriptors.keys()].sort((a, b) => a - b);
  }

  /** @throws CkptError EBADF */
  at(fd: number): Descriptor {
    return this.#descriptors.get(fd) ?? refuse('EBADF', `descriptor ${fd} is not open`);
  }

  has(fd: number): boolean {
    return this.#descriptors.has(fd);
  }

  /** A file that was opened for more than its path. @throws CkptError EBADF */
  file(fd: number): OpenFile {
    const { file } = this.at(fd);
    if ((file.flags & O_PATH) !== 0) refuse('EBADF', `descriptor ${fd} was opened with O_PATH`);
    return file;
  }

  /** Under the lowest number that is free. @throws CkptError EMFILE */
  add(file: OpenFile, closeOnExec: boolean, least = 0): number {
    let fd = least;
    while (this.#descriptors.has(fd)) fd++;
    if (fd >= this.#limit()) refuse('EMFILE', `${fd} descriptors are open`);
    this.#put(fd, file, closeOnExec);
    return fd;
  }

  /** Under a number; what was there is closed. @throws CkptError EBADF over the limit. */
  place(fd: number, file: OpenFile, closeOnExec: boolean): void {
    if (fd < 0 || fd >= this.#limit()) refuse('EBADF', `descriptor ${fd} is over the limit`);
    const before = this.#descriptors.get(fd);
    this.#put(fd, file, closeOnExec);
    before?.file.drop();
  }

  #put(fd: number, file: OpenFile, closeOnExec: boolean): void {
    file.references += 1;
    this.#descriptors.set(fd, { file, closeOnExec });
  }

  /** @throws CkptError EBADF */
  remove(fd: number): OpenFile {
    const { file } = this.at(fd);
    this.#descriptors.delete(fd);
    file.drop();
    return file;
  }
}

import type { FileStat } from '../host.ts';
import { dropOwn, lockLines } from './locks.ts';
import { S_IFCHR, S_IFDIR, S_IFREG, type Entry, type Inode } from './file-system.ts';
import type { FileObject, Mapped, OpenFile } from './open-file.ts';
import { refuse } from './system-call.ts';

/** poll(2): always ready. */
const POLLIN_OUT = 0x145;

/** A description of a file by its path: regular, directory, device, or reached with O_PATH. */
export class PathFile implements FileObject {
  readonly entry: Entry;
  readonly isSeekable: boolean;

  constructor(entry: Entry) {
    this.entry = entry;
    this.isSeekable = [S_IFREG, S_IFDIR, S_IFCHR].includes(entry.inode.type);
  }

  get inode(): Inode {
    return this.entry.inode;
  }

  link(): string {
    return this.entry.path + (this.entry.isDeleted ? ' (deleted)' : '');
  }

  stat(): FileStat {
    return this.inode.stat;
  }

  readAt(offset: bigint, length: number): Uint8Array {
    if (this.inode.type === S_IFDIR) refuse('EISDIR', 'a directory is not read');
    const left = this.inode.stat.size - offset;
    const count = left < 0n ? 0 : left < BigInt(length) ? Number(left) : length;
    const bytes = new Uint8Array(count);
    for (let done = 0; done < count;) {
      const at = offset + BigInt(done);
      const part = Math.min(4096 - Number(at % 4096n), count - done);
      bytes.set(this.inode.read(at, part), done);
      done += part;
    }
    return bytes;
  }

  writeAt(offset: bigint, bytes: Uint8Array): number {
    this.inode.write(offset, bytes);
    return bytes.length;
  }

  map(): Mapped {
    if (this.inode.type !== S_IFREG) refuse('ENODEV', 'it cannot be mapped');
    return { object: this.inode };
  }

  program(): string | undefined {
    const { mode } = this.inode.stat;
    const isProgram = this.inode.type === S_IFREG && (mode & 0o111) !== 0;
    return isProgram ? this.link() : undefined;
  }

  release(file: OpenFile): void {
    dropOwn(this.inode, file);
  }
}

/** A character device that is always ready: the rest of what it is, is the same as for a file. */
export class DeviceFile extends PathFile {
  poll(): number {
    return POLLIN_OUT;
  }
}

/** Lines of fdinfo about locks; empty for what cannot be locked. */
export function locksOf(file: OpenFile): string {
  return file.object instanceof PathFile ? lockLines(file.object.inode, file) : '';
}

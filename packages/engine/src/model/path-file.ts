import { makeDevice } from './device.ts';
import type { FileStat } from '../file-stat.ts';
import { dropOwn, lockLines } from './locks.ts';
import { S_IFCHR, S_IFDIR, S_IFREG, type Entry, type Inode } from './file-system.ts';
import type { FileObject, Mapped, OpenFile } from './open-file.ts';
import { checkSealed, sealCall } from './seals.ts';
import { refuse, Unmodelled } from './refuse.ts';
import type { Caller, Words } from './system-call.ts';

/** poll(2): always ready. */
const POLLIN_OUT = 0x145;

/** /dev/zero (Documentation/admin-guide/devices.txt). */
const zeroDevice = makeDevice(1, 5);

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
    return this.inode.readAt(offset, length);
  }

  writeAt(offset: bigint, bytes: Uint8Array): number {
    checkSealed(this.inode, offset + BigInt(bytes.length));
    this.inode.write(offset, bytes);
    return bytes.length;
  }

  map(_offset: bigint, _length: bigint, isShared: boolean): Mapped {
    const { type, stat } = this.inode;
    if (type === S_IFCHR && stat.rdev === zeroDevice) return this.#zeros(isShared);
    if (type !== S_IFREG) refuse('ENODEV', 'it cannot be mapped');
    return { object: this.inode };
  }

  /** What is read of /dev/zero are zeros, and what is written is the mapping's own. */
  #zeros(isShared: boolean): Mapped {
    if (isShared) throw new Unmodelled('shared mapping of /dev/zero');
    const { device, inode } = this.inode;
    const none = { has: () => false, store: () => undefined };
    const read = (_offset: bigint, size: number): Uint8Array => new Uint8Array(size);
    return { object: { ...none, device, inode, mapName: () => this.link(), read } };
  }

  fcntl(caller: Caller, file: OpenFile, args: Words): number | undefined {
    return sealCall(caller, this.inode, file, args);
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

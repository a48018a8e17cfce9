import type { Document, FileStat, ImageRecord, RestoreScope, Section, Value } from '@ckpt/engine';
import { FileDesc, FileTable, type Path } from '@ckpt/format';
import { cString } from '../procfs/text.ts';
import { numberOf } from './descriptor-numbers.ts';
import { missing } from './path-check.ts';
import { placeOf } from './path-map.ts';

/** open(2) and fcntl(2) of x86-64. */
export const AT_FDCWD = -100;
const O_CREAT = 0o100;
const O_EXCL = 0o200;
const O_TRUNC = 0o1000;
const O_DIRECTORY = 0o200000;
const O_NOFOLLOW = 0o400000;
export const O_CLOEXEC = 0o2000000;
const O_PATH = 0o10000000;
/** Never asked for again: they would make, empty, or not follow what is opened. */
const once = O_CREAT | O_EXCL | O_TRUNC | O_NOFOLLOW;

/** struct stat (asm/stat.h of x86-64): bytes, and where st_dev, st_ino and st_mode are. */
const statSize = 144;
const modeOffset = 24;

/** What is known of a file when a plan is made, so that nothing is exchanged until it is run. */
interface Identity {
  readonly deviceAndInode: Uint8Array;
  readonly mode: Uint8Array;
}

function identityOf({ dev, ino, mode }: Pick<FileStat, 'dev' | 'ino' | 'mode'>): Identity {
  const bytes = new Uint8Array(20);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, dev, true);
  view.setBigUint64(8, ino, true);
  view.setUint32(16, mode, true);
  return { deviceAndInode: bytes.subarray(0, 16), mode: bytes.subarray(16) };
}

/** Plans to see that a descriptor leads to the very file that was looked at; `what` is said if not. */
export function sameFile(
  scope: RestoreScope,
  from: ImageRecord,
  fd: number,
  { device, inode }: { readonly device: bigint; readonly inode: bigint },
  what: string,
): void {
  const room = scope.fresh('stat');
  const { deviceAndInode: bytes } = identityOf({ dev: device, ino: inode, mode: 0 });
  const expectRoom = { room, offset: 0, bytes };
  scope.call('descriptors', from, 'fstat', [fd, { room, size: statSize }], { what, expectRoom });
}

const scratchNumbers = new WeakMap<Document, number>();

/**
 * The first of the descriptor numbers that are free while an image is restored: above all of it,
 * and above the one that is lowest when all of those are in use.
 */
export function scratchFd({ document }: RestoreScope): number {
  const known = scratchNumbers.get(document);
  if (known !== undefined) return known;
  let last = 2;
  for (const table of document.all(FileTable)) {
    for (const { fd } of table.arrayOf(FileDesc)) last = Math.max(last, fd);
  }
  scratchNumbers.set(document, last + 2);
  return last + 2;
}

/** Closes a descriptor that a plan has opened. */
export function close(scope: RestoreScope, section: Section, from: ImageRecord, fd: Value): void {
  scope.call(section, from, 'close', [fd]);
}

/**
 * Plans to find the file of a PATH without opening it: O_PATH, and only if it is the one that
 * was looked at when the plan was made.
 *
 * @returns the number of the descriptor; {@link scratchFd}, where no other is known. Close it before
 * the next file.
 */
export function reachPath(
  scope: RestoreScope,
  section: Section,
  from: ImageRecord,
  path: ImageRecord<Path>,
): number {
  const { name } = placeOf(scope, path);
  const stat = scope.stat(name);
  if (stat === undefined) throw missing(path, name);
  const { deviceAndInode, mode } = identityOf(stat);
  const flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
  const found = scope.call(section, from, 'openat', [AT_FDCWD, { blob: cString(name) }, flags], {
    what: `open ${name}`,
  });
  const known = numberOf(scope, found);
  const number = known ?? scratchFd(scope);
  if (known === undefined) {
    scope.call(section, from, 'dup3', [found, number, O_CLOEXEC], { expect: number });
    close(scope, section, from, found);
  }
  const room = scope.fresh('stat');
  const what = `${name} was exchanged while it was opened`;
  const compare = (offset: number, bytes: Uint8Array): void => {
    scope.call(section, from, 'fstat', [number, { room, size: statSize }], {
      what,
      expectRoom: { room, offset, bytes },
    });
  };
  compare(0, deviceAndInode);
  compare(modeOffset, mode);
  return number;
}

/**
 * Plans to open the file of a PATH with the rights that the thread then has: first
 * {@link reachPath}, then again with the flags wanted.
 *
 * @param flags of open(2); what would make, empty or lock the file out is left out.
 * @returns the descriptor, close-on-exec only if the flags say so.
 */
export function openPath(
  scope: RestoreScope,
  section: Section,
  from: ImageRecord,
  path: ImageRecord<Path>,
  flags: number,
): Value {
  const number = reachPath(scope, section, from, path);
  const again = { blob: cString(`/proc/self/fd/${number}`) };
  const fd = scope.call(section, from, 'openat', [AT_FDCWD, again, flags & ~once], {
    what: `open ${placeOf(scope, path).name}`,
  });
  close(scope, section, from, number);
  return fd;
}

/** Plans to open a directory; it may be passed to fchdir(2) and *at calls. As {@link openPath}. */
export function openDirectory(
  scope: RestoreScope,
  section: Section,
  from: ImageRecord,
  path: ImageRecord<Path>,
): Value {
  return openPath(scope, section, from, path, O_PATH | O_DIRECTORY);
}

import type { ImageRecord, RestoreScope } from '@ckpt/engine';
import { Identity, openFlags, type File, type Path } from '@ckpt/format';
import { cString } from '../procfs/text.ts';
import type { Restoring } from './descriptor.ts';
import { seek } from './file-seek.ts';
import { placeOf } from './path-map.ts';
import { AT_FDCWD, O_CLOEXEC } from './path-open.ts';
import { fileTypes, typeOf } from './path-type.ts';

/** open(2) of x86-64. */
const O_RDWR = 2;
const O_CREAT = 0o100;
const O_EXCL = 0o200;
const O_TRUNC = 0o1000;
const O_NOFOLLOW = 0o400000;
const once = O_CREAT | O_EXCL | O_TRUNC | O_NOFOLLOW | openFlags.O_TMPFILE | O_CLOEXEC;

const permissions = 0o7777;

/** Where the file was; /tmp when that directory has gone, too. */
function directoryFor(scope: RestoreScope, name: string): string {
  const directory = name.slice(0, Math.max(name.lastIndexOf('/'), 1));
  const stat = scope.stat(directory);
  if (stat !== undefined && typeOf(stat.mode) === fileTypes.directory) return directory;
  scope.note(`${directory} is gone: the deleted file ${name} comes back in /tmp, under no name`);
  return '/tmp';
}

/** A name that nobody has: of the image and the object in it. */
function newName(scope: RestoreScope, path: ImageRecord<Path>): string {
  const directory = directoryFor(scope, placeOf(scope, path).name);
  const { uuid } = scope.document.one(Identity).value;
  const id = [...uuid].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${directory === '/' ? '' : directory}/.ckpt-${id}-${path.value.objref}`;
}

function checkSize(scope: RestoreScope, path: ImageRecord<Path>): number {
  const { mode, size, pages } = path.value;
  if (typeOf(mode) !== fileTypes.regular) {
    throw path.invalid('mode', `a deleted file of mode 0${mode.toString(8)}`);
  }
  const pageSize = BigInt(scope.system.pageSize);
  if ((size + pageSize - 1n) / pageSize !== pages) {
    throw path.invalid('pages', `${pages.toString()} pages of a file of ${size.toString()} bytes`);
  }
  return Number(size);
}

/**
 * Plans a file that had no name any more: made where it was, its name taken away at once, filled
 * from the store, opened for each description, and given the mode and owner that it had.
 */
export function restoreDeleted(
  restoring: Restoring,
  path: ImageRecord<Path>,
  files: readonly ImageRecord<File>[],
): void {
  const { scope, scratch, place } = restoring;
  const size = checkSize(scope, path);
  const name = newName(scope, path);
  const old = placeOf(scope, path).name;
  const what = `make a file for ${old}, which was deleted, in its directory`;
  const blob = cString(name);
  const flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  const made = scope.call('descriptors', path, 'openat', [AT_FDCWD, { blob }, flags, 0o600], {
    what,
  });
  scope.call('descriptors', path, 'unlink', [{ blob }], { what });
  const number = scratch(1);
  scope.call('descriptors', path, 'dup3', [made, number, O_CLOEXEC], { expect: number, what });
  scope.call('descriptors', path, 'close', [made]);
  if (size > 0) {
    scope.step('descriptors', {
      op: 'load',
      on: scope.pid,
      from: { position: path.position, path: 'descriptors/PATH' },
      to: { fd: number, offset: 0n },
      length: size,
      index: Number(path.value.index),
    });
  }
  for (const file of files) {
    const again = { blob: cString(`/proc/self/fd/${number}`) };
    const fd = scope.call(
      'descriptors',
      file,
      'openat',
      [AT_FDCWD, again, file.value.flags & ~once],
      {
        what: `open ${old}, which was deleted`,
      },
    );
    seek(restoring, file, fd);
    place(file, fd);
  }
  const { mode, uid, gid } = path.value;
  const owner = { failure: 'warn', what: `owner of ${old}, which was deleted` } as const;
  scope.call('descriptors', path, 'fchown', [number, uid, gid], owner);
  scope.call('descriptors', path, 'fchmod', [number, mode & permissions], { what });
  scope.call('descriptors', path, 'close', [number]);
}

import type { ImageRecord, RestoreScope, Section } from '@ckpt/engine';
import { FileRun, Identity, pathFlags, seals as sealBits, type Path } from '@ckpt/format';
import { fillHuge } from './huge-file.ts';
import { cString } from '../procfs/text.ts';
import { memfdMark } from './path.ts';
import { nameOf } from './path-name.ts';
import { placeOf } from './path-map.ts';
import { AT_FDCWD, O_CLOEXEC } from './path-open.ts';
import { fileTypes, typeOf } from './path-type.ts';
import { hugeFlags } from './vma-mmap.ts';

/** open(2) of x86-64. */
const O_RDONLY = 0;
const O_RDWR = 2;
const O_CREAT = 0o100;
const O_EXCL = 0o200;
const O_NOFOLLOW = 0o400000;
/** memfd_create(2), fcntl(2) */
const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
const MFD_HUGETLB = 4;
const F_ADD_SEALS = 1033;
/** Bytes of a name that memfd_create(2) takes. */
const memfdNameMax = 249;

const permissions = 0o7777;
/** While it is made: a program must be executable. */
const ownerAll = 0o700;
const allSeals = Object.values(sealBits).reduce((sum, bit) => sum | bit, 0);

type PathRecord = ImageRecord<Path>;

/** Where the file was; /tmp when that directory has gone, too. */
function directoryFor(scope: RestoreScope, name: string): string {
  const directory = name.slice(0, Math.max(name.lastIndexOf('/'), 1));
  const stat = scope.stat(directory);
  if (stat !== undefined && typeOf(stat.mode) === fileTypes.directory) return directory;
  scope.note(`${directory} is gone: the deleted file ${name} comes back in /tmp, under no name`);
  return '/tmp';
}

/** A name that nobody has: of the image and the object in it. */
function newName(scope: RestoreScope, path: PathRecord): string {
  const directory = directoryFor(scope, placeOf(scope, path).name);
  const { uuid } = scope.document.one(Identity).value;
  const id = [...uuid].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${directory === '/' ? '' : directory}/.ckpt-${id}-${path.value.objref}`;
}

/** Content in the store, checked. @throws CkptError EINVAL. */
function runsOf(scope: RestoreScope, path: PathRecord): readonly FileRun[] {
  const { mode, size, index, pages, runs } = path.value;
  const pageSize = BigInt(scope.system.pageSize);
  if (typeOf(mode) !== fileTypes.regular) {
    throw path.invalid('mode', `a deleted file of mode 0${mode.toString(8)}`);
  }
  const all = runs === 0 ? [{ offset: 0n, pages, index }] : path.arrayOf(FileRun);
  if (runs !== 0 && all.length !== runs) {
    throw path.invalid('runs', `${all.length} ranges of content where ${runs} were said`);
  }
  const last = (size + pageSize - 1n) / pageSize;
  let done = 0n;
  for (const run of all) {
    const first = run.offset / pageSize;
    if (run.offset % pageSize !== 0n || first < done || first + run.pages > last) {
      const text = `${run.pages.toString()} pages at ${run.offset.toString()}`;
      throw path.invalid('pages', `${text} of a file of ${size.toString()} bytes`);
    }
    done = first + run.pages;
  }
  const sum = all.reduce((total, run) => total + run.pages, 0n);
  if (sum !== pages) {
    throw path.invalid('pages', `${sum.toString()} pages where ${pages.toString()} were said`);
  }
  return all.filter((run) => run.pages > 0n);
}

/** True for the copy of a file that has its name, and is not what is needed. */
const isCopy = ({ value: { flags } }: PathRecord): boolean =>
  (flags & (pathFlags.DELETED | pathFlags.CARRIED)) === pathFlags.CARRIED;

/** As much of a name as memfd_create(2) takes, whatever its letters are. */
const shortened = (name: string): string => name.slice(0, Math.floor(memfdNameMax / 4));

/** Plans to make a file under a name that is taken away at once, or a memfd; returns what opens it. */
function create(scope: RestoreScope, section: Section, path: PathRecord, what: string) {
  const call = scope.call.bind(undefined, section, path);
  if (isCopy(path)) {
    const { name } = placeOf(scope, path);
    const blob = cString(shortened(name.slice(name.lastIndexOf('/') + 1)));
    return call('memfd_create', [{ blob }, MFD_CLOEXEC | MFD_ALLOW_SEALING], { what });
  }
  if ((path.value.flags & pathFlags.MEMFD) !== 0) {
    const name = nameOf(path).slice(memfdMark.length);
    const blob = cString(name);
    if (!nameOf(path).startsWith(memfdMark) || blob.length > memfdNameMax + 1) {
      throw path.invalid('name', `"${nameOf(path)}" is no name of a memfd`);
    }
    const huge = hugeFlags(MFD_HUGETLB, path.value.page_shift);
    return call('memfd_create', [{ blob }, MFD_CLOEXEC + MFD_ALLOW_SEALING + huge], { what });
  }
  const blob = cString(newName(scope, path));
  const flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  const made = call('openat', [AT_FDCWD, { blob }, flags, ownerAll], { what });
  call('unlink', [{ blob }], { what });
  return made;
}

/**
 * Plans a file that has no name: made where it was, or as a memfd, and filled from the store. It
 * stays open under `number`, for reading and writing.
 */
export function makeUnnamed(
  scope: RestoreScope,
  section: Section,
  path: PathRecord,
  number: number,
): void {
  const { size, seals } = path.value;
  const runs = runsOf(scope, path);
  if ((seals & ~allSeals) !== 0) throw path.invalid('seals', `seals ${seals}`, 'ENOSYS');
  const what = `make a file for ${nameOf(path)}, which has no name`;
  const made = create(scope, section, path, what);
  scope.call(section, path, 'dup3', [made, number, O_CLOEXEC], { expect: number, what });
  scope.call(section, path, 'close', [made]);
  if (size > 0n) scope.call(section, path, 'ftruncate', [number, size], { what });
  if ((path.value.flags & pathFlags.HUGETLB) !== 0) {
    fillHuge(scope, section, path, number, runs);
    return;
  }
  const pageSize = BigInt(scope.system.pageSize);
  for (const { offset, pages, index } of runs) {
    const end = offset + pages * pageSize;
    scope.step(section, {
      op: 'load',
      on: scope.pid,
      from: { position: path.position, path: `${section}/PATH` },
      to: { fd: number, offset },
      length: Number((end < size ? end : size) - offset),
      index: Number(index),
    });
  }
}

/** Plans to open such a file once more. */
export function openUnnamed(
  scope: RestoreScope,
  section: Section,
  from: ImageRecord,
  {
    number,
    flags,
    what,
  }: { readonly number: number; readonly flags: number; readonly what: string },
) {
  const again = { blob: cString(`/proc/self/fd/${number}`) };
  return scope.call(section, from, 'openat', [AT_FDCWD, again, flags], { what });
}

/** Plans that nobody holds such a file for writing any more: it may be a program. */
export function letGoUnnamed(
  scope: RestoreScope,
  section: Section,
  path: PathRecord,
  number: number,
): void {
  // What memfd_create(2) gives does not count as a writer, and adds seals.
  if ((path.value.flags & pathFlags.MEMFD) !== 0 || isCopy(path)) return;
  const what = `hold ${nameOf(path)}, which has no name`;
  const read = openUnnamed(scope, section, path, { number, flags: O_RDONLY | O_CLOEXEC, what });
  scope.call(section, path, 'dup3', [read, number, O_CLOEXEC], { expect: number, what });
  scope.call(section, path, 'close', [read]);
}

/** Plans the owner, mode and seals of such a file, which may then not be opened again; closes it. */
export function settleUnnamed(
  scope: RestoreScope,
  section: Section,
  path: PathRecord,
  number: number,
): void {
  const { mode, uid, gid, seals } = path.value;
  const name = nameOf(path);
  const warn = { failure: 'warn', what: `owner of ${name}, which has no name` } as const;
  if (!isCopy(path)) scope.call(section, path, 'fchown', [number, uid, gid], warn);
  const what = `mode and seals of ${name}, which has no name`;
  scope.call(section, path, 'fchmod', [number, mode & permissions], { what });
  // Files of tmpfs have the seal against seals from the start; others than memfds have no other.
  const sealable = isCopy(path) || (path.value.flags & pathFlags.MEMFD) !== 0;
  if (sealable && seals !== 0)
    scope.call(section, path, 'fcntl', [number, F_ADD_SEALS, seals], { what });
  scope.call(section, path, 'close', [number]);
}

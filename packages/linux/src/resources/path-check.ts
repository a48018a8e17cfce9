import type { FileStat, ImageRecord, RestoreScope } from '@ckpt/engine';
import { buildIdMax, CkptError, pathFlags, type Path } from '@ckpt/format';
import { buildIdOf } from '../procfs/build-id.ts';
import { placeOf, type Place } from './path-map.ts';
import { fileTypes, typeName, typeOf } from './path-type.ts';

/** Milliseconds that a date can be away from 1970. */
const dateMax = 8_640_000_000_000_000;

function dateOf(nanoseconds: bigint): string {
  const milliseconds = Number(nanoseconds / 1_000_000n);
  if (Math.abs(milliseconds) > dateMax) return `${nanoseconds.toString()} ns`;
  return new Date(milliseconds).toISOString();
}

const hexOf = (bytes: Uint8Array): string =>
  [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');

/** Build id of a file as it is now, in hexadecimal: empty without one, undefined when not known. */
function buildIdNow({ contents }: RestoreScope, name: string): string | undefined {
  if (contents?.(name, 0n, 1) === undefined) return undefined;
  const id = buildIdOf((offset, length) => contents(name, offset, length) ?? new Uint8Array(0));
  return hexOf((id ?? new Uint8Array(0)).subarray(0, buildIdMax));
}

/** A file whose content the program relies on: it must be the very same. */
function checkContent(
  scope: RestoreScope,
  record: ImageRecord<Path>,
  name: string,
  now: FileStat,
): void {
  const { size, mtime, build_id_size: idSize, build_id: id } = record.value;
  const remedy = 'put the old file back, or pass --allow-changed when you know that it is the same';
  if (now.size !== size) {
    const sizes = `${size.toString()} bytes then, ${now.size.toString()} now`;
    throw record.invalid('size', `${name} has changed (${sizes}): ${remedy}`, 'ESTALE');
  }
  const idNow = idSize === 0 ? undefined : buildIdNow(scope, name);
  if (idNow !== undefined) {
    // The same build is the same content, whenever it was put there.
    const then = hexOf(id.subarray(0, Math.min(idSize, buildIdMax)));
    if (idNow === then) return;
    const builds = `build ${then} then, ${idNow === '' ? 'none' : idNow} now`;
    throw record.invalid('build_id', `${name} has changed (${builds}): ${remedy}`, 'ESTALE');
  }
  if (now.mtime !== mtime) {
    const times = `written ${dateOf(mtime)} then, ${dateOf(now.mtime)} now`;
    throw record.invalid('mtime', `${name} has changed (${times}): ${remedy}`, 'ESTALE');
  }
}

/** A file that the program writes itself: it may have grown since. */
function checkWritten(
  scope: RestoreScope,
  record: ImageRecord<Path>,
  { name, moved }: Place,
  now: FileStat,
): void {
  const { size, device, inode, mtime } = record.value;
  if (now.size < size) {
    const sizes = `${now.size.toString()} bytes, ${size.toString()} at the checkpoint`;
    throw record.invalid('size', `${name} has shrunk to ${sizes}: put the old file back`, 'ESTALE');
  }
  // Whoever says that it moved may have copied it.
  if (!moved && now.dev === device && now.ino !== inode) {
    throw record.invalid(
      'inode',
      `${name} is another file than at the checkpoint: put the old one back`,
      'ESTALE',
    );
  }
  if (now.size !== size || now.mtime !== mtime) {
    scope.note(`${name} has changed since the checkpoint; it is used as it is now`);
  }
}

/** The error for a file that is not there. */
export function missing(record: ImageRecord<Path>, name: string): CkptError {
  const remedy = 'put it back, or tell where it is now: --map-path OLD=NEW';
  return record.invalid('name', `${name} is not there: ${remedy}`, 'ENOENT');
}

/**
 * Looks at the file of a PATH as it is on this machine.
 * @throws CkptError ENOENT when it is gone, ESTALE when it is not what the image relies on.
 */
export function checkPath(scope: RestoreScope, record: ImageRecord<Path>): FileStat {
  const { mode, rdev, flags } = record.value;
  const place = placeOf(scope, record);
  const { name } = place;
  const now = scope.stat(name);
  if (now === undefined) throw missing(record, name);
  if (typeOf(now.mode) !== typeOf(mode)) {
    const types = `${typeName(now.mode)} now, ${typeName(mode)} at the checkpoint`;
    throw record.invalid('mode', `${name} is ${types}`, 'ESTALE');
  }
  const isDevice = [fileTypes.character, fileTypes.block].some((type) => type === typeOf(mode));
  if (isDevice && now.rdev !== rdev) {
    throw record.invalid('rdev', `${name} is another device than at the checkpoint`, 'ESTALE');
  }
  if (typeOf(mode) === fileTypes.regular && scope.options.allowChanged !== true) {
    if ((flags & pathFlags.WRITTEN) !== 0) checkWritten(scope, record, place, now);
    else checkContent(scope, record, name, now);
  }
  return now;
}

const copies = new WeakMap<ImageRecord<Path>, boolean>();

/**
 * True for a file that is not there, or is another one, and whose content the image has; said once.
 * The copy has no name: it is a memfd.
 */
export function usesCopy(scope: RestoreScope, record: ImageRecord<Path>): boolean {
  if ((record.value.flags & pathFlags.CARRIED) === 0) return false;
  const known = copies.get(record);
  if (known !== undefined) return known;
  const different = differenceOf(scope, record);
  if (different !== undefined) {
    scope.note(
      `${different.sentence.replace(/: (put|pass) .*$/, '')}; a copy from the image is used`,
    );
  }
  copies.set(record, different !== undefined);
  return different !== undefined;
}

function differenceOf(scope: RestoreScope, record: ImageRecord<Path>): CkptError | undefined {
  try {
    checkPath(scope, record);
    return undefined;
  } catch (error) {
    const others = ['ENOENT', 'ESTALE'];
    if (error instanceof CkptError && others.includes(error.code)) return error;
    throw error;
  }
}

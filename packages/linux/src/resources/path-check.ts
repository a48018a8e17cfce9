import type { FileStat, ImageRecord, RestoreScope } from '@ckpt/engine';
import { CKPT_HDR_FILE_NAME, pathFlags, type Path } from '@ckpt/format';
import { decodeText, encodeText } from '@ckpt/io';
import { fileTypes, typeName, typeOf } from './path-type.ts';

/** Bytes of a path with its NUL (linux/limits.h). */
const PATH_MAX = 4096;

/**
 * Name of a PATH.
 * @throws CkptError EINVAL for one that no kernel would have told.
 */
export function nameOf(record: ImageRecord<Path>): string {
  const bytes = record.bytesOf(CKPT_HDR_FILE_NAME);
  const name = decodeText(bytes);
  if (encodeText(name).length !== bytes.length) {
    throw record.invalid('name', 'a file name with a NUL, or no UTF-8');
  }
  if (!name.startsWith('/') || bytes.length >= PATH_MAX) {
    throw record.invalid('name', `${bytes.length} bytes that are no absolute path`);
  }
  return name;
}

/** Milliseconds that a date can be away from 1970. */
const dateMax = 8_640_000_000_000_000;

function dateOf(nanoseconds: bigint): string {
  const milliseconds = Number(nanoseconds / 1_000_000n);
  if (Math.abs(milliseconds) > dateMax) return `${nanoseconds.toString()} ns`;
  return new Date(milliseconds).toISOString();
}

/** A file whose content the program relies on: it must be the very same. */
function checkContent(record: ImageRecord<Path>, name: string, now: FileStat): void {
  const { size, mtime } = record.value;
  const remedy = 'put the old file back, or pass --allow-changed when you know that it is the same';
  if (now.size !== size) {
    const sizes = `${size.toString()} bytes then, ${now.size.toString()} now`;
    throw record.invalid('size', `${name} has changed (${sizes}): ${remedy}`, 'ESTALE');
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
  name: string,
  now: FileStat,
): void {
  const { size, device, inode, mtime } = record.value;
  if (now.size < size) {
    const sizes = `${now.size.toString()} bytes, ${size.toString()} at the checkpoint`;
    throw record.invalid('size', `${name} has shrunk to ${sizes}: put the old file back`, 'ESTALE');
  }
  if (now.dev === device && now.ino !== inode) {
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

/**
 * Looks at the file of a PATH as it is on this machine.
 * @throws CkptError ENOENT when it is gone, ESTALE when it is not what the image relies on.
 */
export function checkPath(scope: RestoreScope, record: ImageRecord<Path>): FileStat {
  const { mode, rdev, flags } = record.value;
  const name = nameOf(record);
  const now = scope.stat(name);
  if (now === undefined) {
    throw record.invalid('name', `${name} is not there: put it back`, 'ENOENT');
  }
  if (typeOf(now.mode) !== typeOf(mode)) {
    const types = `${typeName(now.mode)} now, ${typeName(mode)} at the checkpoint`;
    throw record.invalid('mode', `${name} is ${types}`, 'ESTALE');
  }
  const isDevice = [fileTypes.character, fileTypes.block].some((type) => type === typeOf(mode));
  if (isDevice && now.rdev !== rdev) {
    throw record.invalid('rdev', `${name} is another device than at the checkpoint`, 'ESTALE');
  }
  if (typeOf(mode) === fileTypes.regular && scope.options.allowChanged !== true) {
    if ((flags & pathFlags.WRITTEN) !== 0) checkWritten(scope, record, name, now);
    else checkContent(record, name, now);
  }
  return now;
}

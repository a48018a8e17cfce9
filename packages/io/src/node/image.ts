import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { CkptError } from '@ckpt/format';
import { FdFile, nonBlockingFile, type FdFileOptions } from './fd-file.ts';
import { newBeside, once, type NewImage } from './new-image.ts';
import { system } from './system-error.ts';

export interface CreateImageOptions extends FdFileOptions {
  /** Takes the place of a file that is there. */
  readonly force?: boolean;
}

/**
 * Opens an image for reading.
 * @throws CkptError ENOENT, EACCES, EISDIR, ... as open(2).
 */
export function openImage(path: string, options: FdFileOptions = {}): FdFile {
  const doing = `opening ${path}`;
  const fd = system(doing, () => openSync(path, constants.O_RDONLY | constants.O_NOCTTY));
  if (!fstatSync(fd).isDirectory()) return new FdFile(fd, options);
  closeSync(fd);
  throw new CkptError('EISDIR', `${doing}: it is a directory`);
}

/**
 * Creates an image that only its owner may read (0600) under a name of its own beside `path`; it
 * takes the name `path` when it is committed. A pipe or character device at `path` is written in
 * place.
 * @throws CkptError EEXIST when something is there, without `force`; EISDIR; EINVAL for a block
 * device or socket; as open(2).
 */
export function createImage(path: string, options: CreateImageOptions = {}): NewImage {
  const doing = `looking at ${path}`;
  const link = system(doing, () => lstatSync(path, { throwIfNoEntry: false }));
  const there = system(doing, () => statSync(path, { throwIfNoEntry: false }));
  if (there?.isDirectory()) throw new CkptError('EISDIR', `${path} is a directory`);
  if (there?.isFIFO() || there?.isCharacterDevice()) return inPlace(path, options);
  if (there?.isBlockDevice() || there?.isSocket()) {
    throw new CkptError('EINVAL', `${path} is no place for an image`);
  }
  const force = options.force ?? false;
  if (link !== undefined && !force) throw new CkptError('EEXIST', `${path} is there already`);
  // Renaming over a symbolic link such as /dev/stdout would put a file in the place of the link.
  const target = there === undefined ? path : system(doing, () => realpathSync(path));
  return newBeside(target, force, options);
}

function inPlace(path: string, options: FdFileOptions): NewImage {
  const flags = constants.O_WRONLY | constants.O_NOCTTY;
  const fd = system(`opening ${path}`, () => openSync(path, flags));
  const file = nonBlockingFile(fd, 'write', options);
  const close = () => {
    file.close();
    closeSync(fd);
  };
  return once(file, close, close);
}

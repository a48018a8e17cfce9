import {
  closeSync,
  constants,
  fchmodSync,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  renameSync,
  unlinkSync,
} from 'node:fs';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { FdFile, type FdFileOptions } from './fd-file.ts';
import { system, systemError } from './system-error.ts';

/** An image that is being written: nobody sees it under its name before it is whole. */
export interface NewImage {
  readonly file: FdFile;
  /**
   * Puts it on the disk and under its name, and closes it; when that fails it is removed.
   * @throws CkptError EEXIST when the name was taken meanwhile; as fsync(2), link(2), rename(2).
   */
  commit(): void;
  /** Closes and removes it; nothing after a commit. */
  abort(): void;
}

/** Of commit and abort only the first does anything. */
export function once(file: FdFile, commit: () => void, abort: () => void): NewImage {
  let done = false;
  const first = (end: () => void) => () => {
    if (done) return;
    done = true;
    end();
  };
  return { file, commit: first(commit), abort: first(abort) };
}

/** A new file in the folder of `path`, which takes that name when it is whole. */
export function newBeside(path: string, force: boolean, options: FdFileOptions): NewImage {
  const temporary = join(dirname(path), `.ckpt-${randomBytes(6).toString('hex')}`);
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
  const fd = system(`creating ${path}`, () => openSync(temporary, flags, 0o600));
  const file = new FdFile(fd, options);
  const abort = () => {
    try {
      file.close();
    } finally {
      system(`removing ${temporary}`, () => {
        unlinkSync(temporary);
      });
    }
  };
  const commit = () => {
    try {
      system(`syncing ${path}`, () => {
        // The umask may have taken the owner's own rights.
        fchmodSync(fd, 0o600);
        fsyncSync(fd);
      });
      file.close();
      system(`naming ${path}`, () => {
        name(temporary, path, force);
      });
    } catch (error) {
      abort();
      throw error;
    }
    syncDirectory(dirname(path));
  };
  return once(file, commit, abort);
}

/** Gives a file its name; one that is there stays without `force`, whoever made it meanwhile. */
function name(temporary: string, path: string, force: boolean): void {
  if (force) {
    renameSync(temporary, path);
    return;
  }
  try {
    linkSync(temporary, path);
  } catch (error) {
    // A file system without hard links: look, then rename.
    const unable = isSystem(error, ['EPERM', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);
    if (!unable || lstatSync(path, { throwIfNoEntry: false }) !== undefined) throw error;
    renameSync(temporary, path);
    return;
  }
  unlinkSync(temporary);
}

/**
 * A name is on the disk when its directory is. Neither a file system that cannot say (EINVAL) nor
 * a directory that may be written but not read (EACCES) makes the image less whole.
 */
function syncDirectory(path: string): void {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY);
  } catch (error) {
    if (isSystem(error, ['EACCES'])) return;
    throw systemError(error, `opening ${path}`);
  }
  try {
    fsyncSync(fd);
  } catch (error) {
    if (!isSystem(error, ['EINVAL'])) throw systemError(error, `syncing ${path}`);
  } finally {
    closeSync(fd);
  }
}

function isSystem(error: unknown, codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

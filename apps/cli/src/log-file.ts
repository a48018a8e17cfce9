import { constants, fstatSync, openSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { CkptError } from '@ckpt/format';
import { FdFile, systemError } from '@ckpt/io/node';

/** Most symbolic links on a way; MAXSYMLINKS of linux/namei.h. */
const linksMax = 40;

/** Where a file would be made that is not there: behind links that lead to nothing, too. */
function newPlace(path: string): string {
  let at = resolve(path);
  try {
    for (let left = linksMax; left > 0; left--) {
      at = join(realpathSync(dirname(at)), basename(at));
      at = resolve(dirname(at), readlinkSync(at));
    }
  } catch {
    // No link any more, or no such directory: opening it says so.
  }
  return at;
}

/** Tells files apart, whatever they are called. Users of a character device share no bytes. */
function placeOf(file: string | number): string | undefined {
  const bigint = true;
  try {
    const stat =
      typeof file === 'number' ? fstatSync(file, { bigint }) : statSync(file, { bigint });
    return stat.isCharacterDevice() ? undefined : `${stat.dev}:${stat.ino}`;
  } catch {
    return typeof file === 'number' ? undefined : newPlace(file);
  }
}

/**
 * Opens the log that a command was told to keep. It is appended to, by several commands at once if
 * need be. Non-blocking, for the sake of a FIFO whose reader stalls while a process is frozen.
 * @param images What the command reads or writes, paths or descriptors: the log is none of them.
 * @throws CkptError EINVAL for a log that is an image, before anything is made; as open(2).
 */
export function openLog(
  path: string | undefined,
  images: readonly (string | number)[],
  left: () => number = () => 0,
): FdFile | undefined {
  if (path === undefined) return undefined;
  const place = placeOf(path);
  const same = images.find((image) => place !== undefined && placeOf(image) === place);
  if (same !== undefined) {
    const image = typeof same === 'string' ? `the image ${same}` : 'the image';
    throw new CkptError('EINVAL', `the log ${path} and ${image} are one file`);
  }
  const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK, O_NOCTTY } = constants;
  const flags = O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY;
  try {
    return new FdFile(openSync(path, flags, 0o600), { deadline: left });
  } catch (error) {
    throw systemError(error, `opening the log ${path}`);
  }
}

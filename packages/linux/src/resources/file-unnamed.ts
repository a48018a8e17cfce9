import type { ImageRecord } from '@ckpt/engine';
import { openFlags, pathFlags, type File, type Path } from '@ckpt/format';
import type { Restoring } from './descriptor.ts';
import { seek } from './file-seek.ts';
import { nameOf } from './path-name.ts';
import { O_CLOEXEC } from './path-open.ts';
import { keptFd } from './unnamed-map.ts';
import { makeUnnamed, openUnnamed, settleUnnamed } from './unnamed-make.ts';

/** open(2) of x86-64. */
const O_CREAT = 0o100;
const O_EXCL = 0o200;
const O_TRUNC = 0o1000;
const O_NOFOLLOW = 0o400000;
const once = O_CREAT | O_EXCL | O_TRUNC | O_NOFOLLOW | openFlags.O_TMPFILE | O_CLOEXEC;
const O_ACCMODE = 3;
const O_RDWR = 2;
/** fcntl(2) */
const F_SETFL = 4;
const F_DUPFD_CLOEXEC = 1030;
const settable =
  openFlags.O_APPEND | openFlags.O_NONBLOCK | openFlags.O_DIRECT | openFlags.O_NOATIME;

/**
 * Plans the descriptions of a file that has no name: opened once more where it was made for the
 * mappings, else made for them. The first that reads and writes a memfd is the one that
 * memfd_create(2) gives: it alone does not keep the file from being run.
 */
export function restoreUnnamed(
  restoring: Restoring,
  path: ImageRecord<Path>,
  files: readonly ImageRecord<File>[],
): void {
  const { scope, scratch, place, fillNow } = restoring;
  const kept = keptFd(scope, path);
  const number = kept ?? scratch(1);
  const what = `open ${nameOf(path)}, which has no name`;
  if (kept === undefined) {
    fillNow();
    makeUnnamed(scope, 'descriptors', path, number);
  }
  const isMemfd = (path.value.flags & pathFlags.MEMFD) !== 0;
  const reads = ({ value: { flags } }: ImageRecord<File>): boolean =>
    (flags & O_ACCMODE) === O_RDWR && (flags & openFlags.O_PATH) === 0;
  const first = isMemfd ? files.find(reads) : undefined;
  const openFirst = (file: ImageRecord<File>) => {
    const flags = file.value.flags & settable;
    if (flags !== 0) scope.call('descriptors', file, 'fcntl', [number, F_SETFL, flags], { what });
    return scope.call('descriptors', file, 'fcntl', [number, F_DUPFD_CLOEXEC, 0], { what });
  };
  for (const file of files) {
    const flags = file.value.flags & ~once;
    const fd =
      file === first
        ? openFirst(file)
        : openUnnamed(scope, 'descriptors', file, { number, flags, what });
    if ((flags & openFlags.O_PATH) === 0) seek(restoring, file, fd);
    place(file, fd);
  }
  settleUnnamed(scope, 'descriptors', path, number);
}

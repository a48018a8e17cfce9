import type { ImageRecord, Value } from '@ckpt/engine';
import { fileKinds, Pipe, type File } from '@ckpt/format';
import { cString } from '../procfs/text.ts';
import type { DescriptorKind, Restoring } from './descriptor.ts';
import { setStatus } from './descriptor-flags.ts';
import { numberOf } from './descriptor-numbers.ts';
import { AT_FDCWD, O_CLOEXEC } from './path-open.ts';
import { checkpointRing, endOf, ends, fillRing, sizeRing } from './pipe-ring.ts';

/** Plans a description of a pipe that already has one: what open(2) of /proc/PID/fd/N makes. */
export function reopen({ scope, place }: Restoring, file: ImageRecord<File>, fd: number): void {
  const path = { blob: cString(`/proc/self/fd/${fd}`) };
  const flags = file.value.flags & ~O_CLOEXEC;
  place(
    file,
    scope.call('descriptors', file, 'openat', [AT_FDCWD, path, flags], {
      what: 'open an end of a pipe once more',
    }),
  );
}

type FileRecord = ImageRecord<File>;

/** True where one of these descriptions belongs, another than `own`. */
function isTaken(
  { at }: Restoring,
  fd: number,
  files: readonly FileRecord[],
  own: FileRecord | undefined,
): boolean {
  const there = at(fd)?.file;
  return there !== undefined && there !== own && files.includes(there);
}

/** Plans an empty pipe. Its ends stay where the kernel puts them, if that is known and they can. */
function make(
  restoring: Restoring,
  record: ImageRecord<Pipe>,
  files: readonly FileRecord[],
  made: readonly (FileRecord | undefined)[],
): readonly number[] {
  const { scope, scratch, at, fdOf } = restoring;
  const room = scope.fresh('pipe');
  const [first] = files;
  const endsAtExec = at(first === undefined ? -1 : (fdOf(first) ?? -1))?.closeOnExec === true;
  const flags = endsAtExec ? O_CLOEXEC : 0;
  scope.call('descriptors', record, 'pipe2', [{ room, size: 8 }, flags], { what: 'a pipe' });
  const words = made.map((_, index): Value => ({ word: room, index }));
  const known = words.flatMap((word) => numberOf(scope, word) ?? []);
  const stay =
    known.length === words.length &&
    !known.some((fd, index) => isTaken(restoring, fd, files, made[index]));
  if (stay) return known;
  return words.map((word, index) => {
    const number = scratch(1 + index);
    scope.call('descriptors', record, 'dup3', [word, number, O_CLOEXEC], {
      expect: number,
      what: `open descriptor ${number} for a moment: raise the limit of open files (ulimit -n)`,
    });
    scope.call('descriptors', record, 'close', [word]);
    return number;
  });
}

/**
 * A pipe of pipe(2) whose ends are both inside, or whose other end nobody has any more.
 *
 * Image: {@link Pipe}; the bytes in flight are in the store.
 */
export const pipe: DescriptorKind = {
  name: 'pipe',
  kind: fileKinds.pipe,
  records: [Pipe],

  claims: (_scope, { link }) => link.startsWith('pipe:['),

  checkpoint(scope, description, table) {
    const object = checkpointRing(scope, description, table, 0);
    return object === undefined ? undefined : { object, end: endOf(description) };
  },

  restore(restoring, files) {
    const { scope, place, fdOf, fillLater, fillNow } = restoring;
    const [first] = files;
    if (first === undefined) return;
    const record = scope.document.object(first.value.object, Pipe, first);
    if (record.value.path !== 0) throw record.invalid('path', 'a pipe with a path');
    for (const file of files) {
      if (file.value.end > ends.both) throw file.invalid('end', `end ${file.value.end} of a pipe`);
    }
    const made = [ends.read, ends.write].map((end) => files.find(({ value }) => value.end === end));
    const [read = -1, write = -1] = make(restoring, record, files, made);
    sizeRing(restoring, record, write);
    const [, writer] = made;
    if (writer === undefined) {
      fillNow();
      fillRing(restoring, record, write);
    } else {
      fillLater(() => {
        fillRing(restoring, record, fdOf(writer) ?? -1);
      });
    }
    for (const file of files) if (!made.includes(file)) reopen(restoring, file, read);
    for (const [index, file] of made.entries()) {
      const fd = index === 0 ? read : write;
      if (file === undefined) {
        scope.call('descriptors', record, 'close', [fd]);
        continue;
      }
      setStatus(scope, file, fd);
      place(file, fd);
    }
  },
};

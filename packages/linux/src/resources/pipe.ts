import type { ImageRecord } from '@ckpt/engine';
import { fileKinds, Pipe, type File } from '@ckpt/format';
import { cString } from '../procfs/text.ts';
import type { DescriptorKind, Restoring } from './descriptor.ts';
import { setStatus } from './descriptor-flags.ts';
import { AT_FDCWD, O_CLOEXEC } from './path-open.ts';
import { checkpointRing, endOf, ends, fillRing } from './pipe-ring.ts';

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

/** Plans an empty pipe; its ends have these numbers then. */
function make({ scope, scratch }: Restoring, record: ImageRecord<Pipe>) {
  const read = scratch(1);
  const write = scratch(2);
  const room = scope.fresh('pipe');
  scope.call('descriptors', record, 'pipe2', [{ room, size: 8 }, O_CLOEXEC], { what: 'a pipe' });
  for (const [index, number] of [read, write].entries()) {
    const word = { word: room, index };
    scope.call('descriptors', record, 'dup3', [word, number, O_CLOEXEC], {
      expect: number,
      what: `open descriptor ${number} for a moment: raise the limit of open files (ulimit -n)`,
    });
    scope.call('descriptors', record, 'close', [word]);
  }
  return { read, write };
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
    const { scope, place } = restoring;
    const [first] = files;
    if (first === undefined) return;
    const record = scope.document.object(first.value.object, Pipe, first);
    if (record.value.path !== 0) throw record.invalid('path', 'a pipe with a path');
    const { read, write } = make(restoring, record);
    fillRing(restoring, record, write);
    const numbers = [
      [ends.read, read],
      [ends.write, write],
    ] as const;
    const made = numbers.map(
      ([end, fd]) => [files.find(({ value }) => value.end === end), fd] as const,
    );
    for (const file of files) {
      if (file.value.end > ends.both) throw file.invalid('end', `end ${file.value.end} of a pipe`);
      if (!made.some(([already]) => already === file)) reopen(restoring, file, read);
    }
    for (const [file, fd] of made) {
      if (file === undefined) {
        scope.call('descriptors', record, 'close', [fd]);
        continue;
      }
      setStatus(scope, file, fd);
      place(file, fd);
    }
  },
};

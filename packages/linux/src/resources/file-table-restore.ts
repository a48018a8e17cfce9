import type { ImageRecord, RestoreScope, Value } from '@ckpt/engine';
import { File, FileDesc, FileTable } from '@ckpt/format';
import type { DescriptorKind, Restoring } from './descriptor.ts';
import { descriptorKinds } from './descriptor-kinds.ts';
import { Numbers } from './descriptor-numbers.ts';
import { restoreLocks } from './file-lock.ts';
import { restoreOwner } from './file-owner.ts';
import { O_CLOEXEC, scratchFd } from './path-open.ts';
import { redirect } from './redirect.ts';

/** fs.nr_open, unless an administrator has raised it. */
const descriptorEnd = 1 << 20;

type FileRecord = ImageRecord<File>;

/** FILEs of one kind that lead to one object. */
interface Group {
  readonly kind: DescriptorKind;
  readonly files: FileRecord[];
}

/** The numbers of each FILE, ascending. @throws CkptError EINVAL for a table that cannot be. */
function readTable(scope: RestoreScope): ReadonlyMap<FileRecord, readonly FileDesc[]> {
  const table = scope.document.one(FileTable);
  const entries = table.arrayOf(FileDesc);
  if (entries.length !== table.value.count) {
    throw table.invalid(
      'count',
      `${entries.length} descriptors where ${table.value.count} were said`,
    );
  }
  const numbers = new Map<FileRecord, FileDesc[]>();
  let before = -1;
  for (const entry of entries) {
    if (entry.fd <= before || entry.fd >= descriptorEnd) {
      throw table.invalid('fd', `descriptor ${entry.fd} after descriptor ${before}`);
    }
    if (entry.flags > 1)
      throw table.invalid('flags', `flags ${entry.flags} of descriptor ${entry.fd}`);
    before = entry.fd;
    const file = scope.document.object(entry.file, File, table);
    const known = numbers.get(file);
    if (known === undefined) numbers.set(file, [entry]);
    else known.push(entry);
  }
  for (const file of scope.document.all(File)) {
    if (!numbers.has(file)) throw file.invalid('objref', 'no descriptor leads to this file');
  }
  return numbers;
}

/** In the order of the image, in which the store has what was in them. */
function groupsOf(scope: RestoreScope, files: Iterable<FileRecord>): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const file of [...files].sort((a, b) => a.position - b.position)) {
    const { kind: number, object, trusted } = file.value;
    const kind = descriptorKinds.find((each) => each.kind === number);
    if (kind === undefined) throw file.invalid('kind', `a file of kind ${number}`, 'ENOSYS');
    if (trusted !== 0 && scope.options.trustImage !== true) {
      const sentence = 'only the invoker of the checkpoint could open it: pass --trust-image';
      throw file.invalid('trusted', sentence, 'EACCES');
    }
    const key = `${number}:${object}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { kind, files: [file] });
    else group.files.push(file);
  }
  return [...groups.values()];
}

/** fcntl(2) */
const F_SETFD = 2;

/** Puts what is open as `fd` under its numbers. */
type Put = (file: FileRecord, fd: Value, entries: readonly FileDesc[]) => void;

/**
 * How descriptions come to their numbers: where it is known which number the kernel gave, that one
 * stays if it is wanted; else by way of one above those of the image.
 */
function putting(scope: RestoreScope, numbers: Numbers, above: number): Put {
  const close = (file: FileRecord, fd: Value): void => {
    scope.call('descriptors', file, 'close', [fd]);
  };
  const copy = (file: FileRecord, from: Value, { fd: to, flags }: FileDesc): void => {
    scope.call('descriptors', file, 'dup3', [from, to, flags === 0 ? 0 : O_CLOEXEC], {
      expect: to,
      what: `descriptor ${to}`,
    });
  };
  const copyAll = (file: FileRecord, from: Value, entries: readonly FileDesc[]): void => {
    for (const entry of entries) copy(file, from, entry);
    close(file, from);
  };
  return (file, fd, entries) => {
    const number = numbers.of(fd);
    if (number === undefined) {
      scope.call('descriptors', file, 'dup3', [fd, above, O_CLOEXEC], {
        expect: above,
        what: `open descriptor ${above} for a moment: raise the limit of open files (ulimit -n)`,
      });
      close(file, fd);
      copyAll(file, above, entries);
      return;
    }
    const own = entries.find((entry) => entry.fd === number);
    if (own === undefined) {
      copyAll(file, number, entries);
      return;
    }
    for (const entry of entries) if (entry !== own) copy(file, number, entry);
    if (numbers.endsAtExec(number) !== (own.flags !== 0)) {
      scope.call('descriptors', file, 'fcntl', [number, F_SETFD, own.flags]);
    }
  };
}

/**
 * Plans all descriptors: nothing is open before, and each description is put under its numbers as
 * soon as it is open. Locks come last, since closing any descriptor of a file drops them (fcntl(2)).
 */
export function restoreTable(from: RestoreScope): void {
  const numbers = new Numbers();
  const scope = numbers.follow(from);
  const table = readTable(scope);
  const first = scratchFd(scope) + 1;
  const scratch = (index: number): number => first + index;
  const numbersOf = (file: FileRecord): readonly FileDesc[] => table.get(file) ?? [];
  const byFd = new Map(
    [...table].flatMap(([file, entries]) =>
      entries.map(({ fd, flags }) => [fd, { file, closeOnExec: flags !== 0 }] as const),
    ),
  );
  const put = putting(scope, numbers, scratch(0));
  const placed = new Set<FileRecord>();
  const waiting: (() => void)[] = [];
  const restoring: Restoring = {
    scope,
    scratch,
    at: (fd) => byFd.get(fd),
    fdOf: (file) => numbersOf(file)[0]?.fd,
    fillLater: (plan) => {
      waiting.push(plan);
    },
    fillNow: () => {
      for (const plan of waiting.splice(0)) plan();
    },
    place: (file, fd) => {
      placed.add(file);
      put(file, fd, numbersOf(file));
    },
  };
  const elsewhere = redirect(scope, table, put);
  const files = [...table.keys()].filter((file) => !elsewhere.has(file));
  const groups = groupsOf(scope, files);
  for (const kind of descriptorKinds) kind.prepare?.(restoring);
  for (const { kind, files: led } of groups) kind.restore(restoring, led);
  restoring.fillNow();
  const lost = files.find((file) => !placed.has(file));
  if (lost !== undefined) throw lost.invalid('object', 'nothing opens this file');
  for (const { kind, files: led } of groups) kind.settle?.(restoring, led);
  for (const file of files) {
    restoreLocks(restoring, file);
    restoreOwner(restoring, file);
  }
}

import { CkptError, File, FileDesc, fileKinds, FileTable, Vma } from '@ckpt/format';
import type { ImageRecord, RestoreScope, Value } from '@ckpt/engine';
import { cString } from '../procfs/text.ts';
import { F_SETFL, O_ACCMODE, O_NOCTTY, O_NONBLOCK, setStatus } from './descriptor-flags.ts';
import { AT_FDCWD } from './path-open.ts';
import { fileTypes, typeOf } from './path-type.ts';

const O_CREAT = 0o100;
const SEEK_END = 2;
/** Mode of a file that is made, before the invoker's umask. */
const newMode = 0o666;

/** What a descriptor is to lead to, whatever it led to (`ckpt restart --fd N=...`). */
type Target =
  /** A path, opened with the rights of the process. */
  | { readonly path: string }
  /** A descriptor of the invoker, and its flags (fcntl(2), F_GETFL). */
  | { readonly fd: number; readonly flags: number };

/** The kinds whose descriptions stand for themselves: nothing else in the image relies on them. */
const replaceable: readonly number[] = [
  ...[fileKinds.path, fileKinds.pipe, fileKinds.fifo, fileKinds.tty, fileKinds.inherited],
];

type FileRecord = ImageRecord<File>;
type Put = (file: FileRecord, fd: Value, entries: readonly FileDesc[]) => void;

/** The option `fds`: targets by numbers. */
function targetsOf({ options }: RestoreScope): ReadonlyMap<number, Target> {
  const { fds } = options;
  return fds instanceof Map ? (fds as ReadonlyMap<number, Target>) : new Map<number, Target>();
}

const keyOf = (target: Target): string => ('path' in target ? target.path : `&${target.fd}`);

const isIn = (mode: number, has: number): boolean => has === 2 || has === mode;

/** Plans to open a path as the description was open; what is there stays, output comes behind it. */
function openTarget(scope: RestoreScope, file: FileRecord, path: string): Value {
  const mode = file.value.flags & O_ACCMODE;
  const stat = scope.stat(path);
  const type = stat === undefined ? fileTypes.regular : typeOf(stat.mode);
  if (type === fileTypes.fifo && mode === 0) {
    const sentence = `${path} is a FIFO, which has to be opened before: --fd N=3 3<${path}`;
    throw new CkptError('EINVAL', sentence);
  }
  const flags = mode | (mode === 0 ? 0 : O_CREAT) | O_NOCTTY | O_NONBLOCK;
  const args = [AT_FDCWD, { blob: cString(path) }, flags, newMode];
  const fd = scope.call('descriptors', file, 'openat', args, {
    what: `open ${path} with the rights of the process`,
  });
  scope.call('descriptors', file, 'fcntl', [fd, F_SETFL, 0]);
  setStatus(scope, file, fd);
  if (type === fileTypes.regular && mode !== 0) {
    scope.call('descriptors', file, 'lseek', [fd, 0, SEEK_END]);
  }
  return fd;
}

/** Plans to take a descriptor of the invoker, which stays shared with whoever else has it. */
function takeTarget(
  scope: RestoreScope,
  file: FileRecord,
  target: Extract<Target, { readonly fd: number }>,
): Value {
  const mode = file.value.flags & O_ACCMODE;
  if (!isIn(mode, target.flags & O_ACCMODE)) {
    const needs = ['reading', 'writing', 'reading and writing'][mode] ?? 'nothing';
    throw new CkptError('EBADF', `descriptor ${target.fd} of ckpt is not open for ${needs}`);
  }
  const fd = scope.call('descriptors', file, 'dup', [{ external: `fd:${target.fd}` }]);
  const wanted = file.value.flags & O_NONBLOCK;
  if (wanted !== (target.flags & O_NONBLOCK)) {
    const flags = (target.flags & ~O_NONBLOCK) | wanted;
    scope.call('descriptors', file, 'fcntl', [fd, F_SETFL, flags]);
  }
  return fd;
}

/** Numbers of one description by what they are to lead to; the others go with the lowest. */
function groupsOf(entries: readonly FileDesc[], targets: ReadonlyMap<number, Target>) {
  const first = entries.map(({ fd }) => targets.get(fd)).find((target) => target !== undefined);
  const groups = new Map<string, { readonly target: Target; readonly entries: FileDesc[] }>();
  for (const entry of entries) {
    const target = targets.get(entry.fd) ?? first;
    if (target === undefined) continue;
    const group = groups.get(keyOf(target)) ?? { target, entries: [] };
    groups.set(keyOf(target), group);
    group.entries.push(entry);
  }
  return [...groups.values()];
}

/** Descriptors that the option `fds` leads elsewhere: their descriptions. */
function redirected(
  scope: RestoreScope,
  table: ReadonlyMap<FileRecord, readonly FileDesc[]>,
): ReadonlySet<FileRecord> {
  const targets = targetsOf(scope);
  const found = new Set<FileRecord>();
  const known = new Set<number>();
  for (const [file, entries] of table) {
    const numbers = entries.map(({ fd }) => fd).filter((fd) => targets.has(fd));
    for (const fd of numbers) known.add(fd);
    if (numbers.length === 0) continue;
    if (!replaceable.includes(file.value.kind) || file.value.locks > 0) {
      const sentence = 'only files without locks, pipes and terminals can be exchanged';
      throw file.invalid('kind', `--fd ${numbers.join(', ')}: ${sentence}`);
    }
    found.add(file);
  }
  const none = [...targets.keys()].find((fd) => !known.has(fd));
  if (none === undefined) return found;
  throw new CkptError('EBADF', `--fd ${none}: the process had no descriptor ${none}`);
}

/** Plans what the invoker leads elsewhere. @returns its descriptions, which nothing else opens. */
export function redirect(
  scope: RestoreScope,
  table: ReadonlyMap<FileRecord, readonly FileDesc[]>,
  put: Put,
): ReadonlySet<FileRecord> {
  const found = redirected(scope, table);
  for (const file of found) {
    for (const { target, entries } of groupsOf(table.get(file) ?? [], targetsOf(scope))) {
      const isPath = 'path' in target;
      const fd = isPath ? openTarget(scope, file, target.path) : takeTarget(scope, file, target);
      put(file, fd, entries);
      const numbers = entries.map(({ fd: number }) => number).join(', ');
      scope.note(
        `descriptor ${numbers} leads to ${isPath ? target.path : `descriptor ${target.fd} of ckpt`}`,
      );
    }
  }
  return found;
}

/** PATHs that only descriptors which the invoker leads elsewhere need: they need not be there. */
export function pathsLeftOut(scope: RestoreScope): ReadonlySet<number> {
  const targets = targetsOf(scope);
  if (targets.size === 0) return new Set();
  const { document } = scope;
  const tables = document.all(FileTable).flatMap((table) => table.arrayOf(FileDesc));
  const led = new Set(tables.filter(({ fd }) => targets.has(fd)).map(({ file }) => file));
  const isLed = ({ value }: FileRecord): boolean =>
    led.has(value.objref) && value.kind === fileKinds.path;
  const files = document.all(File);
  const used = new Set([
    ...files.filter((file) => !isLed(file)).map(({ value }) => value.object),
    ...document.all(Vma).map(({ value }) => value.object),
  ]);
  return new Set(
    files.filter((file) => isLed(file) && !used.has(file.value.object)).map((f) => f.value.object),
  );
}

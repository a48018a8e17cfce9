import type { Document, ImageRecord, RestoreScope } from '@ckpt/engine';
import { File, IoUring, Mm, fileKinds, pathFlags, protections, type Path } from '@ckpt/format';
import { nameOf } from './path-name.ts';
import { usesCopy } from './path-check.ts';
import { O_CLOEXEC, close, scratchFd } from './path-open.ts';
import { letGoUnnamed, makeUnnamed, openUnnamed, settleUnnamed } from './unnamed-make.ts';
import { MAP_SHARED, flagsOf, nameVma, protectionBefore, type VmaRecord } from './vma-mmap.ts';

const O_RDONLY = 0;

/** Numbers above the highest of the image that others use for a moment. */
const scratchCount = 8;

/** Descriptors that hold such files from their mapping to the opening of descriptors. */
const keptFds = new WeakMap<Document, Map<ImageRecord<Path>, number>>();

/** The descriptor that holds a file which was made for its mappings; undefined when none does. */
export function keptFd({ document }: RestoreScope, path: ImageRecord<Path>): number | undefined {
  return keptFds.get(document)?.get(path);
}

/** True for what has no name to be opened by. */
export const isUnnamed = (scope: RestoreScope, path: ImageRecord<Path>): boolean =>
  (path.value.flags & pathFlags.DELETED) !== 0 || usesCopy(scope, path);

/** Objects that descriptors lead to by a path. */
const openedOf = (document: Document): ReadonlySet<number> =>
  new Set(
    document
      .all(File)
      .filter(({ value: { kind } }) => kind === fileKinds.path)
      .map(({ value: { object } }) => object),
  );

const opened = new WeakMap<Document, ReadonlySet<number>>();

/** True where a descriptor leads to the file. */
export function hasDescriptors(
  { document }: RestoreScope,
  { value: { objref } }: ImageRecord<Path>,
): boolean {
  const known = opened.get(document) ?? openedOf(document);
  opened.set(document, known);
  return known.has(objref);
}

/**
 * Plans to make a file that has no name, and the mappings of it, while it can still be written;
 * then its mode and seals. It is held where descriptors or the program link lead to it.
 */
export function mapUnnamed(
  scope: RestoreScope,
  path: ImageRecord<Path>,
  records: readonly VmaRecord[],
  filled: ReadonlySet<VmaRecord>,
): void {
  const kept = keptFds.get(scope.document) ?? new Map<ImageRecord<Path>, number>();
  keptFds.set(scope.document, kept);
  const first = scratchFd(scope) + scratchCount + scope.document.all(IoUring).length;
  const number = kept.get(path) ?? first + kept.size;
  makeUnnamed(scope, 'maps', path, number);
  const what = `map ${nameOf(path)}, which has no name`;
  const read = openUnnamed(scope, 'maps', path, { number, flags: O_RDONLY | O_CLOEXEC, what });
  for (const record of records) {
    const { start, end, offset, maximum } = record.value;
    const flags = flagsOf(record.value);
    // Without the right to write to it, the mapping does not keep the file from being sealed.
    const writes = (flags & MAP_SHARED) !== 0 && (maximum & protections.WRITE) !== 0;
    const protection = protectionBefore(record, filled.has(record));
    const args = [start, end - start, protection, flags, writes ? number : read, offset];
    scope.call('maps', record, 'mmap', args, { expect: start, what: nameVma(record) });
  }
  close(scope, 'maps', path, read);
  const isProgram = scope.document.one(Mm).value.exe === path.value.objref;
  if (isProgram || hasDescriptors(scope, path)) {
    letGoUnnamed(scope, 'maps', path, number);
    kept.set(path, number);
  } else settleUnnamed(scope, 'maps', path, number);
}

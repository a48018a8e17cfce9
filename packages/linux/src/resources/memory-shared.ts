import type { CheckpointScope } from '@ckpt/engine';
import { Shm } from '@ckpt/format';
import type { Mapping } from '../procfs/smaps.ts';
import { keyOf, refuseOutsiders, type SharedObjects } from './memory-groups.ts';
import { describe } from './vma-file.ts';

const endInObject = ({ start, end, offset }: Mapping): bigint => offset + end - start;

/**
 * Memory that several mappings share (MAP_SHARED without a file), emitted once.
 *
 * Image: {@link Shm}. What another process shares cannot be carried, and is refused where it shows.
 * @param objects of the task.
 * @param outsiders what another process has, too.
 * @returns its objref.
 */
export function checkpointShm(
  scope: CheckpointScope,
  mapping: Mapping,
  objects: SharedObjects,
  outsiders: ReadonlySet<Mapping>,
): number {
  const { device, inode } = mapping;
  const key = keyOf(mapping);
  const { objref, isNew } = scope.objhash.of('shm', key);
  refuseOutsiders(scope, describe(mapping), mapping, outsiders);
  if (!isNew) return objref;
  const parts = objects.get(key) ?? [mapping];
  let size = 0n;
  for (const part of parts) size = endInObject(part) > size ? endInObject(part) : size;
  scope.emit(Shm, { objref, flags: 0, size, device, inode });
  return objref;
}

import type { CheckpointScope, Obstacle } from '@ckpt/engine';
import type { Mapping } from '../procfs/smaps.ts';

/** Tells objects behind mappings apart. */
export const keyOf = ({ device, inode }: Mapping): string =>
  `${device.toString()}:${inode.toString()}`;

/** Mappings of each object of shared memory, by its key. */
export type SharedObjects = ReadonlyMap<string, readonly Mapping[]>;

export function groupShared(mappings: readonly Mapping[]): SharedObjects {
  const groups = new Map<string, Mapping[]>();
  for (const mapping of mappings) {
    const group = groups.get(keyOf(mapping));
    if (group === undefined) groups.set(keyOf(mapping), [mapping]);
    else group.push(mapping);
  }
  return groups;
}

const sharing: Omit<Obstacle, 'thing'> = {
  reason: 'another process shares this memory',
  remedy: 'checkpoint when the other process has ended or has let go of it',
};

/**
 * Refuses memory that another process has, too, as far as that shows: a page of it that is mapped
 * more than once, where this process has it once.
 */
export function refuseOutsiders(
  scope: CheckpointScope,
  thing: string,
  mapping: Mapping,
  objects: SharedObjects,
): void {
  const parts = objects.get(keyOf(mapping)) ?? [mapping];
  if (parts.length === 1 && mapping.alsoElsewhere > 0n) scope.refuse({ thing, ...sharing });
}

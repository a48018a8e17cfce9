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

const endInObject = ({ start, end, offset }: Mapping): bigint => offset + end - start;

/** Mappings of one object that no other of them overlaps. */
function alone(parts: readonly Mapping[]): readonly Mapping[] {
  const ascending = [...parts].sort((a, b) => (a.offset < b.offset ? -1 : 1));
  let reached = 0n;
  return ascending.filter((part, index) => {
    const before = reached;
    const end = endInObject(part);
    if (end > reached) reached = end;
    const next = ascending[index + 1];
    return part.offset >= before && (next === undefined || next.offset >= end);
  });
}

/**
 * Mappings of memory that another process has, too, as far as that shows: a page of it is mapped
 * more than once, where this process has it once.
 * @param objects all mappings of each, private ones too: they show its pages.
 */
export function findOutsiders(objects: SharedObjects): ReadonlySet<Mapping> {
  const found = new Set<Mapping>();
  for (const parts of objects.values()) {
    if (!parts.some(({ alsoElsewhere }) => alsoElsewhere > 0n)) continue;
    for (const part of alone(parts)) if (part.alsoElsewhere > 0n) found.add(part);
  }
  return found;
}

/** Refuses memory that another process has, too. */
export function refuseOutsiders(
  scope: CheckpointScope,
  thing: string,
  mapping: Mapping,
  outsiders: ReadonlySet<Mapping>,
): void {
  if (outsiders.has(mapping)) scope.refuse({ thing, ...sharing });
}

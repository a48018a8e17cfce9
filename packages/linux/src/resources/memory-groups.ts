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

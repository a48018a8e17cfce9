import type { Objhash } from './resource.ts';

/** Numbers objects in the order in which they are met, from 1 on. */
export function createObjhash(): Objhash {
  const numbers = new Map<string, number>();
  return {
    of(kind, key) {
      const name = `${kind}\0${key}`;
      const known = numbers.get(name);
      if (known !== undefined) return { objref: known, isNew: false };
      const objref = numbers.size + 1;
      numbers.set(name, objref);
      return { objref, isNew: true };
    },
  };
}

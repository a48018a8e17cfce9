import { adviceFlags, mapFlags, protections } from '@ckpt/format';
import type { Mapping } from '../procfs/smaps.ts';

/** Flags of proc_pid_smaps(5) by the bit of {@link adviceFlags} that records them. */
const advice: Readonly<Record<string, number>> = {
  dc: adviceFlags.DONTFORK,
  dd: adviceFlags.DONTDUMP,
  hg: adviceFlags.HUGEPAGE,
  nh: adviceFlags.NOHUGEPAGE,
  mg: adviceFlags.MERGEABLE,
  sr: adviceFlags.SEQUENTIAL,
  rr: adviceFlags.RANDOM,
  wf: adviceFlags.WIPEONFORK,
  lo: adviceFlags.LOCKED,
  lf: adviceFlags.LOCKONFAULT,
  sl: adviceFlags.SEALED,
  ac: adviceFlags.ACCOUNTED,
};

const map: Readonly<Record<string, number>> = {
  gd: mapFlags.GROWSDOWN,
  nr: mapFlags.NORESERVE,
  dp: mapFlags.DROPPABLE,
  ht: mapFlags.HUGETLB,
};

const maximum: Readonly<Record<string, number>> = {
  mr: protections.READ,
  mw: protections.WRITE,
  me: protections.EXEC,
};

function bits(mapping: Mapping, table: Readonly<Record<string, number>>): number {
  let sum = 0;
  for (const flag of mapping.flags) sum |= table[flag] ?? 0;
  return sum;
}

/** {@link adviceFlags} of a mapping. A droppable one is told apart from what it implies. */
export const adviceOf = (mapping: Mapping): number => bits(mapping, advice);

/** {@link mapFlags} of a mapping. */
export const mapFlagsOf = (mapping: Mapping): number => bits(mapping, map);

/** {@link protections} that mprotect(2) may set. */
export const maximumOf = (mapping: Mapping): number => bits(mapping, maximum);

/** {@link protections} of "rwxp". */
export function protectionOf({ permissions }: Mapping): number {
  return (
    (permissions.startsWith('r') ? protections.READ : 0) |
    (permissions.charAt(1) === 'w' ? protections.WRITE : 0) |
    (permissions.charAt(2) === 'x' ? protections.EXEC : 0)
  );
}

/** madvise(2) for each bit, in the order in which they are given again. */
export const madvise: readonly (readonly [bit: number, advice: number])[] = [
  [adviceFlags.SEQUENTIAL, 2],
  [adviceFlags.RANDOM, 1],
  [adviceFlags.DONTFORK, 10],
  [adviceFlags.MERGEABLE, 12],
  [adviceFlags.DONTDUMP, 16],
  [adviceFlags.WIPEONFORK, 18],
];

/** madvise(2) that decides how memory is filled: given before. */
export const madviseBefore: readonly (readonly [bit: number, advice: number])[] = [
  [adviceFlags.HUGEPAGE, 14],
  [adviceFlags.NOHUGEPAGE, 15],
];

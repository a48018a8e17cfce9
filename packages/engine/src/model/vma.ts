import type { MemoryObject } from './memory-object.ts';

/** What is behind a mapping. */
type Backing =
  | { readonly kind: 'anonymous' }
  /** Private or shared, as its flags say; `offset` in bytes. */
  | { readonly kind: 'object'; readonly object: MemoryObject; readonly offset: bigint }
  /** "[vdso]" */
  | { readonly kind: 'kernel'; readonly name: string };

export interface Vma {
  readonly start: bigint;
  readonly end: bigint;
  /** Flags by the two letters of proc_pid_smaps(5). */
  readonly flags: ReadonlySet<string>;
  readonly backing: Backing;
  /** Given with PR_SET_VMA_ANON_NAME; empty: none. */
  readonly name: string;
}

/** sys/mman.h */
export const PROT_READ = 1;
export const PROT_WRITE = 2;
export const PROT_EXEC = 4;

const protectionFlags = ['rd', 'wr', 'ex'] as const;

/** Flags of a protection. */
export function flagsOfProtection(protection: number): readonly string[] {
  return protectionFlags.filter((_, bit) => (protection & (1 << bit)) !== 0);
}

/** The same flags with some taken away, and others put there. */
export function changed(
  flags: ReadonlySet<string>,
  add: readonly string[],
  remove: readonly string[] = [],
): ReadonlySet<string> {
  const next = new Set(flags);
  for (const flag of remove) next.delete(flag);
  for (const flag of add) next.add(flag);
  return next;
}

/** "rw-p" */
export function permissionsOf({ flags }: Vma): string {
  const letter = (flag: string, character: string): string => (flags.has(flag) ? character : '-');
  const sharing = flags.has('ms') ? 's' : 'p';
  return `${letter('rd', 'r')}${letter('wr', 'w')}${letter('ex', 'x')}${sharing}`;
}

/** True where a written page belongs to the mapping alone. */
export const isPrivate = ({ flags, backing }: Vma): boolean =>
  !flags.has('ms') && backing.kind !== 'kernel';

/** The part of a mapping between two addresses, which may lie outside of it. */
export function slice(vma: Vma, start: bigint, end: bigint): Vma {
  const from = start > vma.start ? start : vma.start;
  const to = end < vma.end ? end : vma.end;
  const { backing } = vma;
  if (backing.kind !== 'object') return { ...vma, start: from, end: to };
  const offset = backing.offset + from - vma.start;
  return { ...vma, start: from, end: to, backing: { ...backing, offset } };
}

/** Page of the object behind an address. */
export const objectPage = (vma: Vma, offset: bigint, address: bigint): bigint =>
  (offset + address - vma.start) / 4096n;

/**
 * True when mprotect(2) to a writable protection makes a mapping count against the commit limit
 * (mm/mprotect.c, mprotect_fixup).
 */
export const willCount = ({ flags }: Vma): boolean =>
  !['ac', 'wr', 'ht', 'sh', 'nr'].some((flag) => flags.has(flag));

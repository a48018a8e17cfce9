import { i32, u32, u64 } from '../field.ts';
import { maybe, payload } from '../follow.ts';
import { address, flags, hex, objref, oneOf } from '../notation.ts';
import { record, type Infer } from '../struct.ts';

export const vmaKinds = {
  anonymous: 1,
  file: 2,
  shared_anonymous: 3,
  shared_file: 4,
  stack: 5,
  vdso: 6,
  io_uring: 7,
  memfd: 8,
};

/** PROT_* of mmap(2) */
export const protections = { READ: 1, WRITE: 2, EXEC: 4 };
const protection = flags(protections, { prefix: 'PROT_', zero: { name: 'PROT_NONE' } });

/** MAP_* of linux/mman.h and asm-generic/mman.h */
export const mapFlags = {
  DROPPABLE: 8,
  GROWSDOWN: 0x100,
  DENYWRITE: 0x800,
  LOCKED: 0x2000,
  NORESERVE: 0x4000,
  STACK: 0x20000,
  HUGETLB: 0x40000,
};

/**
 * What madvise(2), mlock2(2) and mseal(2) left on a mapping, and whether it counts against the
 * commit limit (ACCOUNTED, VmFlags "ac"); the bits are this format's own.
 */
export const adviceFlags = {
  DONTFORK: 1,
  DONTDUMP: 2,
  HUGEPAGE: 4,
  NOHUGEPAGE: 8,
  MERGEABLE: 0x10,
  SEQUENTIAL: 0x20,
  RANDOM: 0x40,
  WIPEONFORK: 0x80,
  LOCKED: 0x100,
  LOCKONFAULT: 0x200,
  SEALED: 0x400,
  ACCOUNTED: 0x800,
};

/** A mapping; pages of its own are in PAGE_MAP. */
export const Vma = record(
  'VMA',
  402,
  'A mapping; pages of its own are in PAGE_MAP.',
  {
    start: u64('first byte, a multiple of the page size', address),
    end: u64('first byte behind it', address),
    offset: u64('bytes from the start of the object', hex),
    object: i32('objref of PATH, IO_URING or SHM; 0: none', objref),
    kind: u32('what is mapped', oneOf(vmaKinds)),
    protection: u32('mprotect(2)', protection),
    flags: u32('MAP_* but shared, private, anonymous, fixed', flags(mapFlags, { prefix: 'MAP_' })),
    advice: u32('advice in force (VmFlags of proc_pid_smaps(5))', flags(adviceFlags)),
    maximum: u32('what mprotect(2) may set', protection),
    protection_key: u32('pkeys(7), 0..15'),
    page_shift: u32('huge pages (HUGETLB): binary logarithm of their bytes; 0: ordinary ones'),
  },
  [maybe(payload('STRING', 'name of an anonymous mapping (prctl(2), PR_SET_VMA_ANON_NAME)'))],
);
export type Vma = Infer<typeof Vma>;

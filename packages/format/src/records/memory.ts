import {
  address,
  byteSize,
  flags,
  hex,
  i32,
  oneOf,
  record,
  u32,
  u64,
  type Infer,
} from '../struct.ts';

/** struct prctl_mm_map (linux/prctl.h); the auxiliary vector follows as BUFFER. */
export const Mm = record('MM', 401, 'An address space; its auxiliary vector follows as BUFFER.', {
  objref: i32('number of this object'),
  exe: i32('objref of PATH: /proc/PID/exe'),
  start_code: u64('first byte', address),
  end_code: u64('end', address),
  start_data: u64('first byte', address),
  end_data: u64('end', address),
  start_brk: u64('where the heap begins', address),
  brk: u64('its end now', address),
  start_stack: u64('stack pointer at exec', address),
  arg_start: u64('arguments', address),
  arg_end: u64('their end', address),
  env_start: u64('environment', address),
  env_end: u64('its end', address),
  vdso: u64('first byte of vvar and vdso, one block; 0: none', address),
  vdso_size: u64('bytes of the block', byteSize),
  lock_flags: u32('mlockall(2) for mappings to come', flags({ MCL_FUTURE: 2, MCL_ONFAULT: 4 })),
  vmas: u32('VMA records that follow'),
});
export type Mm = Infer<typeof Mm>;

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
export const protections = { READ: 1, WRITE: 2, EXEC: 4 };
export const mapFlags = {
  GROWSDOWN: 0x100,
  DENYWRITE: 0x800,
  LOCKED: 0x2000,
  NORESERVE: 0x4000,
  STACK: 0x20000,
  HUGETLB: 0x40000,
  DROPPABLE: 8,
};
/** Advice that outlives its call (madvise(2)), one bit each, in the order of VmFlags of proc_pid_smaps(5). */
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
  /** Not advice, but it lasts as long: counted against the commit limit (VmFlags "ac"). */
  ACCOUNTED: 0x800,
};

/** A mapping; pages of its own are in PAGE_MAP. */
export const Vma = record('VMA', 402, 'A mapping; its name may follow as STRING.', {
  start: u64('first byte', address),
  end: u64('end', address),
  offset: u64('bytes into the object', hex),
  object: i32('objref of PATH, IO_URING or SHM; 0: none'),
  kind: u32('what is mapped', oneOf(vmaKinds)),
  protection: u32('PROT_*', flags(protections)),
  flags: u32('MAP_* beside shared, private, fixed', flags(mapFlags)),
  advice: u32('MADV_* in force', flags(adviceFlags)),
  maximum: u32('PROT_* that mprotect(2) may set', flags(protections)),
  protection_key: u32('pkeys(7)'),
  _pad: u32('zero'),
});
export type Vma = Infer<typeof Vma>;

/** Memory shared through one object: shared anonymous mappings of one origin, memfd. */
export const Shm = record('SHM', 406, 'A memory object that several mappings share.', {
  objref: i32('number of this object'),
  flags: u32('none now', hex),
  size: u64('bytes', byteSize),
  device: u64("of the kernel's own file system", hex),
  inode: u64('there'),
});
export type Shm = Infer<typeof Shm>;

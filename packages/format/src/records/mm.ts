import { i32, u32, u64 } from '../field.ts';
import { after, payload } from '../follow.ts';
import { address, byteSize, flags, objref } from '../notation.ts';
import { record, type Infer } from '../struct.ts';
import { Vma } from './vma.ts';

/** mlockall(2) */
export const lockFlags = { MCL_FUTURE: 2, MCL_ONFAULT: 4 };

/** membarrier(2): commands that register, by what they are for. */
export const barrierCommands = {
  GLOBAL_EXPEDITED: 0x4,
  PRIVATE_EXPEDITED: 0x10,
  PRIVATE_EXPEDITED_SYNC_CORE: 0x40,
  PRIVATE_EXPEDITED_RSEQ: 0x100,
};

/** /proc/PID/coredump_filter (core(5)): what is in a core file. */
export const coreContents = {
  ANON_PRIVATE: 0x1,
  ANON_SHARED: 0x2,
  MAPPED_PRIVATE: 0x4,
  MAPPED_SHARED: 0x8,
  ELF_HEADERS: 0x10,
  HUGETLB_PRIVATE: 0x20,
  HUGETLB_SHARED: 0x40,
  DAX_PRIVATE: 0x80,
  DAX_SHARED: 0x100,
};

/** An address space: what struct prctl_mm_map (linux/prctl.h) sets, and its mappings. */
export const Mm = record(
  'MM',
  401,
  'An address space: what struct prctl_mm_map (linux/prctl.h) sets, and its mappings.',
  {
    objref: i32('number of this object', objref),
    exe: i32('objref of PATH: /proc/PID/exe', objref),
    start_code: u64('program text', address),
    end_code: u64('its end', address),
    start_data: u64('initialized data', address),
    end_data: u64('its end', address),
    start_brk: u64('heap (brk(2))', address),
    brk: u64('its end now, not rounded to a page', address),
    start_stack: u64('stack pointer at execve(2)', address),
    arg_start: u64('arguments', address),
    arg_end: u64('their end', address),
    env_start: u64('environment', address),
    env_end: u64('its end', address),
    vdso: u64('vvar and vdso, one block; 0: none', address),
    vdso_size: u64('bytes of the block', byteSize),
    lock_flags: u32('mlockall(2) in force for mappings to come', flags(lockFlags)),
    vmas: u32('VMA records that follow'),
    barriers: u32('membarrier(2): registered for these', flags(barrierCommands)),
    core: u32(
      'coredump_filter (core(5)): bits that are not as by default, 0x33',
      flags(coreContents),
    ),
  },
  [
    payload('BUFFER', 'auxiliary vector (getauxval(3)), pairs of u64'),
    after(Vma, 'ascending by address, as many as `vmas`'),
  ],
);
export type Mm = Infer<typeof Mm>;

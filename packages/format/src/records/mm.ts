import { i32, u32, u64 } from '../field.ts';
import { after, payload } from '../follow.ts';
import { address, byteSize, flags, objref } from '../notation.ts';
import { record, type Infer } from '../struct.ts';
import { Vma } from './vma.ts';

/** mlockall(2) */
export const lockFlags = { MCL_FUTURE: 2, MCL_ONFAULT: 4 };

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
  },
  [
    payload('BUFFER', 'auxiliary vector (getauxval(3)), pairs of u64'),
    after(Vma, 'ascending by address, as many as `vmas`'),
  ],
);
export type Mm = Infer<typeof Mm>;

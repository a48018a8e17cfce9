import { i32, u32, u64 } from '../field.ts';
import { payload } from '../follow.ts';
import { address, byteSize, flags, objref } from '../notation.ts';
import { record, type Infer } from '../struct.ts';

/** IORING_SETUP_* of linux/io_uring.h */
export const ioUringSetupFlags = {
  IOPOLL: 1,
  SQPOLL: 2,
  SQ_AFF: 4,
  CQSIZE: 8,
  CLAMP: 0x10,
  ATTACH_WQ: 0x20,
  R_DISABLED: 0x40,
  SUBMIT_ALL: 0x80,
  COOP_TASKRUN: 0x100,
  TASKRUN_FLAG: 0x200,
  SQE128: 0x400,
  CQE32: 0x800,
  SINGLE_ISSUER: 0x1000,
  DEFER_TASKRUN: 0x2000,
  NO_MMAP: 0x4000,
  REGISTERED_FD_ONLY: 0x8000,
  NO_SQARRAY: 0x10000,
  HYBRID_IOPOLL: 0x20000,
  CQE_MIXED: 0x40000,
};

/** Nothing is in flight: whatever was submitted is completed. */
export const IoUring = record(
  'IO_URING',
  312,
  'An idle ring of io_uring(7).',
  {
    objref: i32('number of this object', objref),
    setup_flags: u32(
      'io_uring_setup(2), as far as they can be known',
      flags(ioUringSetupFlags, { prefix: 'IORING_SETUP_' }),
    ),
    sq_entries: u32('submission entries'),
    cq_entries: u32('completion entries'),
    sq_head: u32('counter, not masked'),
    sq_tail: u32('counter, not masked'),
    cq_head: u32('counter, not masked'),
    cq_tail: u32('counter, not masked'),
    ring_address: u64('mapping of the rings; 0: not mapped', address),
    ring_size: u64('bytes of it', byteSize),
    sqes_address: u64('mapping of the submission entries; 0: not mapped', address),
    sqes_size: u64('bytes of it', byteSize),
    inode: u64('of the anonymous file: tells its mappings'),
    sq_cpu: u32('processor of its polling thread (SQ_AFF)'),
    sq_idle: u32('milliseconds after which its polling thread sleeps (SQPOLL)'),
  },
  [
    payload('BUFFER', 'memory of the rings; zeros at its end are left out'),
    payload('BUFFER', 'memory of the submission entries, likewise'),
  ],
);
export type IoUring = Infer<typeof IoUring>;

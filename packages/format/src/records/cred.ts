import { i32, u32, u64 } from '../field.ts';
import { array } from '../follow.ts';
import { capabilities, flags, objref } from '../notation.ts';
import { record, struct, type Infer } from '../struct.ts';

/** SECBIT_* of linux/securebits.h */
export const secureBits = {
  NOROOT: 1,
  NOROOT_LOCKED: 2,
  NO_SETUID_FIXUP: 4,
  NO_SETUID_FIXUP_LOCKED: 8,
  KEEP_CAPS: 0x10,
  KEEP_CAPS_LOCKED: 0x20,
  NO_CAP_AMBIENT_RAISE: 0x40,
  NO_CAP_AMBIENT_RAISE_LOCKED: 0x80,
  EXEC_RESTRICT_FILE: 0x100,
  EXEC_RESTRICT_FILE_LOCKED: 0x200,
  EXEC_DENY_INTERACTIVE: 0x400,
  EXEC_DENY_INTERACTIVE_LOCKED: 0x800,
};

export const Gid = struct('gid', 'A supplementary group.', { gid: u32('group id') });
export type Gid = Infer<typeof Gid>;

export const Cred = record(
  'CRED',
  115,
  'Credentials (credentials(7)).',
  {
    objref: i32('number of this object', objref),
    securebits: u32(
      'prctl(2), PR_GET_SECUREBITS',
      flags(secureBits, { prefix: 'SECBIT_', others: true }),
    ),
    uid: u32('real user id'),
    euid: u32('effective user id'),
    suid: u32('saved user id'),
    fsuid: u32('user id for the file system'),
    gid: u32('real group id'),
    egid: u32('effective group id'),
    sgid: u32('saved group id'),
    fsgid: u32('group id for the file system'),
    inheritable: u64('capabilities(7)', capabilities),
    permitted: u64('capabilities(7)', capabilities),
    effective: u64('capabilities(7)', capabilities),
    bounding: u64('capabilities(7)', capabilities),
    ambient: u64('capabilities(7)', capabilities),
  },
  [array(Gid, 'supplementary groups, ascending')],
);
export type Cred = Infer<typeof Cred>;

import { i32, u32, u64 } from '../field.ts';
import { payload } from '../follow.ts';
import { byteSize, device, flags, nanotime, objref, octal } from '../notation.ts';
import { record, type Infer } from '../struct.ts';

/** Raw payload: a path, no NUL. */
export const CKPT_HDR_FILE_NAME = 303;

export const pathFlags = { DELETED: 1, WRITTEN: 2, MAPPED: 4 };

/** A file by its path, and what tells it from another file under that path. */
export const Path = record(
  'PATH',
  309,
  'A file by its path, and what tells it from another one under that path.',
  {
    objref: i32('number of this object', objref),
    flags: u32(
      'DELETED: no name leads to it, its content is in the store; WRITTEN: open for writing; MAPPED: in memory',
      flags(pathFlags),
    ),
    mode: u32('st_mode (inode(7))', octal),
    nlink: u32('hard links'),
    device: u64('st_dev', device),
    inode: u64('st_ino'),
    rdev: u64('st_rdev of a device node', device),
    size: u64('st_size, bytes', byteSize),
    mtime: u64('st_mtim, nanoseconds since the epoch', nanotime),
    uid: u32('owner'),
    gid: u32('group'),
    index: u64('first page of its content in the store'),
    pages: u64('pages of content in the store; 0: none'),
  },
  [payload('FILE_NAME', 'the path, absolute, as the task sees it')],
);
export type Path = Infer<typeof Path>;

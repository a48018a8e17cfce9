import { bytes, i32, reserved, u32, u64 } from '../field.ts';
import { array, maybe, payload } from '../follow.ts';
import { byteSize, device, flags, nanotime, objref, octal } from '../notation.ts';
import { record, struct, type Infer } from '../struct.ts';

/** Raw payload: a path, no NUL. */
export const CKPT_HDR_FILE_NAME = 303;

export const pathFlags = { DELETED: 1, WRITTEN: 2, MAPPED: 4, CARRIED: 8, MEMFD: 16, HUGETLB: 32 };

/** F_ADD_SEALS of fcntl(2). */
export const seals = {
  SEAL: 1,
  SHRINK: 2,
  GROW: 4,
  WRITE: 8,
  FUTURE_WRITE: 0x10,
  EXEC: 0x20,
};

/** Bytes of a build id that are kept: the length of SHA-1, which linkers make. */
export const buildIdMax = 20;

export const FileRun = struct('file_run', 'Pages of a file whose content is in the store.', {
  offset: u64('first byte in the file, a multiple of the page size', byteSize),
  pages: u64('pages in the run'),
  index: u64('first page in the store'),
});
export type FileRun = Infer<typeof FileRun>;

/** A file by its path, and what tells it from another file under that path. */
export const Path = record(
  'PATH',
  309,
  'A file by its path, and what tells it from another one under that path.',
  {
    objref: i32('number of this object', objref),
    flags: u32(
      'DELETED: no name leads to it, its content is in the store; WRITTEN: open for writing; ' +
        'MAPPED: in memory; CARRIED: content is in the store, for a machine that has another ' +
        'file or none; MEMFD: of memfd_create(2); ' +
        'HUGETLB: it has no name, and consists of huge pages',
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
    runs: u32('ranges of content that follow; 0: all pages are one, from the first byte'),
    seals: u32('of a memfd', flags(seals, { prefix: 'F_SEAL_' })),
    build_id_size: u32('bytes of build_id; 0: it has none'),
    build_id: bytes(buildIdMax, 'NT_GNU_BUILD_ID of a program or library (elf(5))'),
    page_shift: u32('HUGETLB: binary logarithm of the bytes of a page; else 0'),
    _pad: reserved(),
  },
  [
    payload('FILE_NAME', 'the path, absolute, as the task sees it'),
    maybe(array(FileRun, 'if there are runs: ascending by offset; the rest are holes, or unknown')),
  ],
);
export type Path = Infer<typeof Path>;

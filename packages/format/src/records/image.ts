import {
  bytes,
  byteSize,
  flags,
  hex,
  i32,
  oneOf,
  record,
  struct,
  u16,
  u32,
  u64,
  type Infer,
} from '../struct.ts';

/** Bits of FEATURES.incompatible that this version understands. */
export const featuresKnown = 0n;

export const Features = record(
  'FEATURES',
  801,
  'What a reader must know, and what it may ignore.',
  {
    incompatible: u64('a bit the reader does not know makes it refuse the image', hex),
    compatible: u64('bits that a reader may pass over', hex),
  },
);
export type Features = Infer<typeof Features>;

export const Identity = record('IDENTITY', 802, 'Which image this is, and of which boot.', {
  uuid: bytes(16, 'random UUID of this image (RFC 9562)'),
  parent: bytes(16, 'UUID of the image this one adds to; zero for a full image'),
  boot_id: bytes(16, '/proc/sys/kernel/random/boot_id of the machine'),
  page_size: u32('bytes of a page of the target', byteSize),
  alignment: u32(
    'bytes to which the payload of each PAGES record is aligned in the stream',
    byteSize,
  ),
});
export type Identity = Infer<typeof Identity>;

export const archs = { x86_32: 1, x86_64: 2, s390x: 3, arm: 4, aarch64: 5 };

export const HeaderArch = record('HEADER_ARCH', 5, 'What the processor must have.', {
  isa: u32('instruction set', oneOf(archs)),
  xstate_size: u32('bytes of the xstate area of the writer', byteSize),
  xfeatures: u64('state components in use by any thread (XSTATE_BV of all)', hex),
  vdso_hash: u32('CRC-32C of the ELF image of the vdso, its zero tail left out; 0: none', hex),
  vdso_size: u32('bytes of vvar and vdso mappings together', byteSize),
});
export type HeaderArch = Infer<typeof HeaderArch>;

export const ArrayHeader = record(
  'ARRAY',
  803,
  'Elements of the record before it follow in the same record.',
  {
    count: u32('elements'),
    element_size: u32('bytes of each', byteSize),
  },
);
export type ArrayHeader = Infer<typeof ArrayHeader>;

export const Tree = record('TREE', 102, 'All tasks and threads; an ARRAY of tree_thread follows.', {
  tasks: u32('thread groups'),
  threads: u32('threads, leaders included'),
});
export type Tree = Infer<typeof Tree>;

export const TreeThread = struct('tree_thread', 'One thread of the tree.', {
  tid: i32('thread id'),
  tgid: i32('id of its thread group: the pid'),
  ppid: i32('pid of the parent'),
  pgid: i32('process group'),
  sid: i32('session'),
  creator: i32('tid of the thread that made it; 0: unknown'),
  depth: u32('pid namespaces below the one of the writer'),
  flags: u32('none now', hex),
});
export type TreeThread = Infer<typeof TreeThread>;

export const pageSources = { store: 1, zero: 2, file: 3, parent: 4, guard: 5 };

export const PageMap = record(
  'PAGE_MAP',
  804,
  'Where the pages of a memory map come from; an ARRAY of page_run follows.',
  {
    mm: i32('objref of the MM'),
    _pad: u32('zero'),
  },
);
export type PageMap = Infer<typeof PageMap>;

export const PageRun = struct('page_run', 'A run of pages.', {
  address: u64('first byte', { kind: 'address' }),
  pages: u64('pages in the run'),
  index: u64('first page in the store; several maps may name one page'),
  source: u32('where they come from', oneOf(pageSources)),
  flags: u32('none now', hex),
});
export type PageRun = Infer<typeof PageRun>;

export const Store = record('STORE', 805, 'How many pages follow.', {
  pages: u64('pages in all PAGES records'),
});
export type Store = Infer<typeof Store>;

export const checksums = { crc32c: 1 };

export const MetaEnd = record(
  'META_END',
  806,
  'Closes the metadata: from here on there are pages only.',
  {
    length: u64('bytes before this record', byteSize),
    algorithm: u32('of the checksum', oneOf(checksums)),
    checksum: u32('over all bytes before this record', hex),
  },
);
export type MetaEnd = Infer<typeof MetaEnd>;

/** PAD is a bare header and zeros, so that the payload of the next PAGES is aligned. */
export const CKPT_HDR_PAD = 807;

export const codecs = { none: 0 };

/** The payload (count pages) follows these fields in the same record. */
export const Pages = record('PAGES', 808, 'Stored pages; their bytes follow in the same record.', {
  first: u64('index of the first page in the store'),
  count: u32('pages in this record; at most 16 MiB'),
  codec: u16('how the payload is packed', oneOf(codecs)),
  flags: u16('none now', flags({})),
});
export type Pages = Infer<typeof Pages>;

/** Bytes of pages that one PAGES record may hold. */
export const pagesMax = 16 << 20;

/** Reserved: digests per chunk, over all, signed; sealed images; cycles between objects. */
export const CKPT_HDR_PAGES_DIGEST = 809;
export const CKPT_HDR_ROOT = 810;
export const CKPT_HDR_SIGNATURE = 811;
export const CKPT_HDR_ENVELOPE = 812;
export const CKPT_HDR_LINK = 813;

/** A record whose type has this bit may be skipped by who does not know it. */
export const CKPT_HDR_SKIPPABLE = 0x80000000;

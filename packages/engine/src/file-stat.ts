/** One file as stat(2) tells it. */
export interface FileStat {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: bigint;
  /** Bytes. */
  readonly size: bigint;
  /** Nanoseconds since the epoch. */
  readonly mtime: bigint;
}

/** What stat(2) does not tell of a file. */
export interface FileExtents {
  /** F_GET_SEALS of fcntl(2); undefined for what cannot be sealed. */
  readonly seals: number | undefined;
  /** Where it has data (lseek(2) SEEK_DATA), ascending; undefined: not known, it may be anywhere. */
  readonly data: readonly { readonly offset: bigint; readonly length: bigint }[] | undefined;
  /** Bytes of its pages where it lies in hugetlbfs; absent elsewhere. */
  readonly hugePage?: number;
}

/** A file without its name. */
export interface FileHandle {
  readonly major: number;
  readonly minor: number;
  readonly inode: bigint;
  /** handle_type and f_handle of struct file_handle. */
  readonly type: number;
  readonly bytes: Uint8Array;
}

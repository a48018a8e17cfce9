import type { FileExtents } from '@ckpt/engine';
import { closeSync, fstatSync, statfsSync } from 'node:fs';
import { failure, trySyscall } from './syscall.ts';

/** lseek(2) */
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
/** fcntl(2) */
const F_GET_SEALS = 1034;

const ENXIO = -6;
const EINVAL = -22;

/** Where a file has data; undefined where its file system does not tell. */
function dataOf(fd: number): FileExtents['data'] {
  const data: { offset: bigint; length: bigint }[] = [];
  for (let from = 0; ;) {
    const start = trySyscall('lseek', fd, from, SEEK_DATA);
    if (start === ENXIO) return data;
    if (start === EINVAL) return undefined;
    if (start < 0) throw failure(-start, 'looking for the data of a file');
    const end = trySyscall('lseek', fd, start, SEEK_HOLE);
    if (end < 0) throw failure(-end, 'looking for a hole in a file');
    data.push({ offset: BigInt(start), length: BigInt(end - start) });
    from = end;
  }
}

/** statfs(2), linux/magic.h */
const HUGETLBFS_MAGIC = 0x958458f6;

/** hugetlbfs does not tell where its files have data, only whether they have any. */
function hugePageOf(fd: number): Partial<FileExtents> {
  const { type, bsize } = statfsSync(`/proc/self/fd/${fd}`);
  if (type !== HUGETLBFS_MAGIC) return {};
  return { hugePage: bsize, data: fstatSync(fd).blocks === 0 ? [] : undefined };
}

/** Seals and holes of a file; closes the descriptor, whose offset is moved. */
export function extentsOf(fd: number): FileExtents {
  try {
    const seals = trySyscall('fcntl', fd, F_GET_SEALS);
    return { seals: seals < 0 ? undefined : seals, data: dataOf(fd), ...hugePageOf(fd) };
  } finally {
    closeSync(fd);
  }
}

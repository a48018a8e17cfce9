import type { FileStat } from '@ckpt/engine';
import { address, failure, stableBytes, trySyscall } from './syscall.ts';

const AT_FDCWD = -100;
const ENOENT = 2;
const ENOTDIR = 20;

/** Bytes of struct stat on x86-64 (asm/stat.h). */
const statSize = 144;

function decodeStat(bytes: Buffer): FileStat {
  return {
    dev: bytes.readBigUInt64LE(0),
    ino: bytes.readBigUInt64LE(8),
    nlink: Number(bytes.readBigUInt64LE(16)),
    mode: bytes.readUInt32LE(24),
    uid: bytes.readUInt32LE(28),
    gid: bytes.readUInt32LE(32),
    rdev: bytes.readBigUInt64LE(40),
    size: bytes.readBigInt64LE(48),
    mtime: bytes.readBigInt64LE(88) * 1_000_000_000n + bytes.readBigInt64LE(96),
  };
}

/** stat(2), following links; undefined when there is nothing. @throws CkptError as stat(2). */
export function statFile(path: string, directory = AT_FDCWD): FileStat | undefined {
  const name = Buffer.from(`${path}\0`);
  const bytes = stableBytes(statSize);
  const result = trySyscall('newfstatat', directory, address(name), address(bytes), 0);
  if (result === -ENOENT || result === -ENOTDIR) return undefined;
  if (result < 0) throw failure(-result, `stat of ${path}`);
  return decodeStat(bytes);
}

import type { CopyTarget, MemoryRun } from '@ckpt/engine';
import type { Memory } from './memory.ts';
import { stableBytes, trySyscall } from './syscall.ts';

/** Bytes read before they are written: large ones leave the cache (measured). */
const roomSize = 1 << 20;

/** Copies of at least so many bytes go to the disk at once, while the next ones are made. */
const writebackMin = 2 << 20;

/** linux/fs.h */
const SYNC_FILE_RANGE_WRITE = 2;

let room: Buffer | undefined;

function writeAll(to: CopyTarget, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += to.write(bytes.subarray(done));
}

/** The buffer that memory passes through; allocated before anything is frozen. */
export function copyRoom(): Buffer {
  return (room ??= stableBytes(roomSize));
}

/** Appends ranges of memory to a file: small ones are gathered, so that they make one write. */
export function copyRuns(memory: Memory, runs: readonly MemoryRun[], to: CopyTarget): void {
  const into = copyRoom();
  let filled = 0;
  for (const { address, length } of runs) {
    for (let done = 0; done < length;) {
      const part = Math.min(length - done, into.length - filled);
      memory.readInto(address + BigInt(done), into.subarray(filled, filled + part));
      done += part;
      filled += part;
      if (filled < into.length) continue;
      writeAll(to, into);
      filled = 0;
    }
  }
  if (filled > 0) writeAll(to, into.subarray(0, filled));
  startWriteback(runs, to);
}

/**
 * Starts to put what was written on the disk: fsync(2) finds little left to wait for. It promises
 * nothing and may fail (a pipe, a file system that cannot), so nobody asks how it went.
 */
function startWriteback(runs: readonly MemoryRun[], to: CopyTarget): void {
  if (to.fd === undefined) return;
  const length = runs.reduce((sum, run) => sum + run.length, 0);
  if (length >= writebackMin) trySyscall('sync_file_range', to.fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

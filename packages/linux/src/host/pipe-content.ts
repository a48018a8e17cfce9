import { closeSync } from 'node:fs';
import { address, failure, stableBytes, syscall, trySyscall } from './syscall.ts';

/** fcntl(2), splice(2) */
const F_SETPIPE_SZ = 1031;
const F_GETPIPE_SZ = 1032;
const SPLICE_F_NONBLOCK = 2;
const O_CLOEXEC_NONBLOCK = 0o2004000;

/**
 * Up to `length` unread bytes of a pipe; they stay there. `fd` is an end that reads.
 * @throws CkptError EINVAL when it is no pipe.
 */
export function peekPipe(fd: number, length: number): Uint8Array {
  const ends = stableBytes(8);
  syscall('pipe2', address(ends), O_CLOEXEC_NONBLOCK);
  const [from, to] = [ends.readInt32LE(0), ends.readInt32LE(4)];
  try {
    syscall('fcntl', to, F_SETPIPE_SZ, syscall('fcntl', fd, F_GETPIPE_SZ));
    // An empty pipe with a writer says EAGAIN.
    const got = tee(fd, to, length);
    const bytes = stableBytes(got);
    for (let done = 0; done < got;) {
      done += syscall('read', from, address(bytes) + BigInt(done), got - done);
    }
    return bytes;
  } finally {
    closeSync(from);
    closeSync(to);
  }
}

const EAGAIN = -11;

function tee(from: number, to: number, length: number): number {
  const got = trySyscall('tee', from, to, length, SPLICE_F_NONBLOCK);
  if (got === EAGAIN || length === 0) return 0;
  if (got < 0) throw failure(-got, 'looking into a pipe');
  return got;
}

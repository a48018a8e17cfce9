import { address, failure, stableBytes, trySyscall } from './syscall.ts';

/** Every event of poll(2): POLLIN, POLLPRI, POLLOUT, ..., POLLRDHUP. */
const everything = 0x27ff;

/** revents of a descriptor of this process, as they are now. @throws CkptError EINTR, ENOMEM. */
export function pollFile(fd: number): number {
  // struct pollfd { int fd; short events; short revents; }
  const entry = stableBytes(8);
  entry.writeInt32LE(fd, 0);
  entry.writeInt16LE(everything, 4);
  const result = trySyscall('poll', address(entry), 1, 0);
  if (result < 0) throw failure(-result, 'asking what a descriptor is ready for');
  return entry.readUInt16LE(6);
}

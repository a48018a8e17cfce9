import { address, failure, stableBytes, trySyscall } from './syscall.ts';

/** kcmp(2), linux/kcmp.h */
const KCMP_FILE = 0;
const KCMP_FILES = 2;
const KCMP_FS = 3;
const KCMP_EPOLL_TFD = 7;

/** What kcmp(2) returns, as an order; 3 would mean that there is none, which files never have. */
const orders = [0, -1, 1];

/**
 * Orders two descriptors of a process by their open file descriptions: 0 is the same one.
 * @throws CkptError EBADF, EPERM, ENOSYS.
 */
export function compareFiles(pid: number, a: number, b: number): number {
  const result = trySyscall('kcmp', pid, pid, KCMP_FILE, a, b);
  const order = orders[result];
  if (order === undefined) throw failure(-result, `comparing descriptors ${a} and ${b} of ${pid}`);
  return order;
}

const ENOENT = -2;

/** Does the epoll item of that number and index watch the description behind `fd`? */
export function watches(
  pid: number,
  fd: number,
  epoll: number,
  target: number,
  index: number,
): boolean {
  // struct kcmp_epoll_slot { __u32 efd; __u32 tfd; __u32 toff; }
  const slot = stableBytes(12);
  for (const [i, word] of [epoll, target, index].entries()) slot.writeUInt32LE(word, i * 4);
  const result = trySyscall('kcmp', pid, pid, KCMP_EPOLL_TFD, fd, address(slot));
  if (result === ENOENT) return false;
  if (result < 0)
    throw failure(-result, `comparing descriptor ${fd} with an item of epoll ${epoll}`);
  return result === 0;
}

/** What a thread does not share with the first one of its process; nothing where nobody can tell. */
export function unshared(pid: number, tid: number): readonly ('files' | 'fs')[] {
  const differs = (kind: number): boolean => trySyscall('kcmp', pid, tid, kind, 0, 0) > 0;
  return [
    ...(differs(KCMP_FILES) ? (['files'] as const) : []),
    ...(differs(KCMP_FS) ? (['fs'] as const) : []),
  ];
}

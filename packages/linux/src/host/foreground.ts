import { isatty } from 'node:tty';
import { address, stableBytes, trySyscall } from './syscall.ts';

/** ioctl_tty(2) */
const TIOCSPGRP = 0x5410;
/** rt_sigprocmask(2) */
const SIG_BLOCK = 0;
const SIG_SETMASK = 2;
const SIGTTOU = 22;

/**
 * Puts a process group into the foreground of this process's terminal, from its background too:
 * what a shell does for a job (tcsetpgrp(3)).
 * @returns false where there is no terminal on descriptors 0 to 2, or it has nothing to say there.
 */
export function setForeground(group: number): boolean {
  const fd = [0, 1, 2].find((each) => isatty(each));
  if (fd === undefined) return false;
  const [number, blocked, before] = [stableBytes(4), stableBytes(8), stableBytes(8)];
  number.writeInt32LE(group, 0);
  blocked.writeBigUInt64LE(1n << BigInt(SIGTTOU - 1), 0);
  trySyscall('rt_sigprocmask', SIG_BLOCK, address(blocked), address(before), 8);
  try {
    return trySyscall('ioctl', fd, TIOCSPGRP, address(number)) === 0;
  } finally {
    trySyscall('rt_sigprocmask', SIG_SETMASK, address(before), 0, 8);
  }
}

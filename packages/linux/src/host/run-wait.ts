import { address, failure, stableBytes, trySyscall } from './syscall.ts';

/** linux/wait.h */
const WNOHANG = 1;
const WALL = 0x40000000;

/** Milliseconds between looks: SIGCHLD tells of an end, except in a worker, where none arrives. */
const pollMs = 100;

/** Status of a child that ended; undefined while it lives. @throws CkptError ECHILD. */
function look(pid: number): number | undefined {
  const status = stableBytes(4);
  const found = trySyscall('wait4', pid, address(status), WALL | WNOHANG, 0);
  if (found < 0) throw failure(-found, `waiting for process ${pid}`);
  return found === 0 ? undefined : status.readInt32LE(0);
}

/**
 * Waits for the end of a child that libuv does not know, without blocking the event loop.
 * @returns The status as waitpid(2) gives it.
 * @throws CkptError ECHILD when somebody else has waited for it.
 */
export function waitForEnd(pid: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearInterval(timer);
      process.off('SIGCHLD', check);
    };
    const check = (): void => {
      try {
        const status = look(pid);
        if (status === undefined) return;
        stop();
        resolve(status);
      } catch (error) {
        stop();
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    };
    const timer = setInterval(check, pollMs);
    process.on('SIGCHLD', check);
    check();
  });
}

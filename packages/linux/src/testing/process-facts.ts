import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs';

/** State letter of proc_pid_stat(5); undefined when there is no such process. */
export function stateOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2)[0];
  } catch {
    return undefined;
  }
}

/** Killed, and on its way: SIGKILL is pending, or it exits (PF_EXITING, PF_SIGNALED). */
export function isDying(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const flags = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[6]);
    const pending = Number.parseInt(statusOf(pid, 'SigPnd'), 16);
    return (pending & 0x100) !== 0 || (flags & 0x404) !== 0;
  } catch {
    return false;
  }
}

/** Value of a field of /proc/PID/status. */
export function statusOf(pid: number, field: string): string {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? '';
}

/** "start-end permissions" of all mappings but the kernel's own. */
export function mappingsOf(pid: number): readonly string[] {
  const lines = readFileSync(`/proc/${pid}/maps`, 'latin1').trim().split('\n');
  return lines
    .filter((line) => !line.includes('[vsyscall]'))
    .map((line) => line.slice(0, line.indexOf(' ') + 5));
}

export function descriptorsOf(pid: number): readonly number[] {
  return readdirSync(`/proc/${pid}/fd`)
    .map(Number)
    .sort((a, b) => a - b);
}

export function threadsOf(pid: number): readonly number[] {
  return readdirSync(`/proc/${pid}/task`)
    .map(Number)
    .sort((a, b) => a - b);
}

export function memoryOf(pid: number, address: bigint, length: number): Buffer {
  const fd = openSync(`/proc/${pid}/mem`, 'r');
  try {
    const bytes = Buffer.alloc(length);
    readSync(fd, bytes, 0, length, address);
    return bytes;
  } finally {
    closeSync(fd);
  }
}

/** Number of the system call that a process is in; undefined when it runs or stands elsewhere. */
export function callOf(pid: number): number | undefined {
  const number = Number.parseInt(readFileSync(`/proc/${pid}/syscall`, 'latin1'));
  return number >= 0 ? number : undefined;
}

/** Processes that a restart begins with and never leaves behind, of these parents. */
export function stubs(...parents: readonly number[]): readonly number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      try {
        if (!readlinkSync(`/proc/${pid}/exe`).startsWith('/memfd:ckpt')) return false;
        return parents.includes(Number(statusOf(pid, 'PPid')));
      } catch {
        return false;
      }
    });
}

/** Waits until something holds. @throws Error after some seconds. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  for (let round = 0; round < 1000; round++) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`it never came to this: ${what}`);
}

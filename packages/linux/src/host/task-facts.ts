/** What the tracer asks of /proc/PID/stat and /proc/PID/task/TID/stat (proc_pid_stat(5)). */
export interface StatFacts {
  readonly name: string;
  /** R, S, D, T, t, Z, X, I. */
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** PF_* of linux/sched.h. */
  readonly flags: number;
  /** Clock ticks after boot. */
  readonly startTime: bigint;
  /** Of a thread that has exited, as waitpid(2) gives it. */
  readonly exitCode: number;
}

/** What the tracer asks of /proc/PID/status (proc_pid_status(5)). Signal sets: bit 0 is signal 1. */
export interface StatusFacts {
  readonly tgid: number;
  readonly tracer: number;
  /** Ids in the innermost pid namespace: what the thread itself calls them. */
  readonly ownTgid: number;
  readonly ownTid: number;
  readonly threads: number;
  readonly caught: bigint;
  /** Pending for the thread or for the whole process. */
  readonly pending: bigint;
  /** 0 none, 1 strict, 2 filter. */
  readonly seccomp: number;
  /** KiB of locked memory. */
  readonly locked: number;
}

/** PF_IO_WORKER and PF_USER_WORKER: threads that never run a program's instruction. */
const kernelHelperFlags = 0x4010;
/** PF_KTHREAD */
const kernelThreadFlag = 0x200000;

export const isKernelHelper = ({ flags }: StatFacts): boolean => (flags & kernelHelperFlags) !== 0;
export const isKernelThread = ({ flags }: StatFacts): boolean => (flags & kernelThreadFlag) !== 0;

/** Dead: only its parent keeps it. */
export const isGone = ({ state }: StatFacts): boolean => state === 'Z' || state === 'X';

export function parseStatFacts(text: string): StatFacts {
  // The name may hold blanks and parentheses: the last one ends it.
  const end = text.lastIndexOf(')');
  const fields = text.slice(end + 2).split(' ');
  return {
    name: text.slice(text.indexOf('(') + 1, end),
    state: fields[0] ?? '',
    parent: Number(fields[1]),
    group: Number(fields[2]),
    session: Number(fields[3]),
    flags: Number(fields[6]),
    startTime: BigInt(fields[19] ?? 0),
    exitCode: Number(fields[49] ?? 0),
  };
}

export function parseStatusFacts(text: string): StatusFacts {
  const word = (name: string): string =>
    new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(text)?.[1]?.trim() ?? '';
  const number = (name: string): number => Number(word(name).split(/\s+/).at(-1) ?? 0);
  const signals = (name: string): bigint => BigInt(`0x${word(name) || '0'}`);
  return {
    tgid: number('Tgid'),
    tracer: number('TracerPid'),
    ownTgid: number('NStgid') || number('Tgid'),
    ownTid: number('NSpid') || number('Pid'),
    threads: number('Threads'),
    caught: signals('SigCgt'),
    pending: signals('SigPnd') | signals('ShdPnd'),
    seccomp: number('Seccomp'),
    locked: Number.parseInt(word('VmLck') || '0', 10),
  };
}

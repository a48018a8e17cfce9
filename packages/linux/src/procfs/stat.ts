import { decodeText } from '@ckpt/io';

/** /proc/PID/stat (proc_pid_stat(5)). */
export interface Stat {
  readonly pid: number;
  readonly comm: string;
  /** "R", "S", "D", "T", "t", "Z" ... */
  readonly state: string;
  readonly ppid: number;
  readonly pgid: number;
  readonly sid: number;
  /** Controlling terminal, as a device number; 0: none. */
  readonly tty: number;
  /** Process group in the foreground of that terminal; -1: none. */
  readonly foreground: number;
  /** Kernel flags of the task (PF_* of linux/sched.h). */
  readonly flags: number;
  /** -20..19 */
  readonly nice: number;
  /** Signal to the parent on exit. */
  readonly exitSignal: number;
  /** Static priority of a real-time policy; 0: none. */
  readonly priority: number;
  /** SCHED_* */
  readonly policy: number;
  /** Words of the address space, in the order of struct prctl_mm_map. */
  readonly mm: {
    readonly startCode: bigint;
    readonly endCode: bigint;
    readonly startData: bigint;
    readonly endData: bigint;
    readonly startBrk: bigint;
    readonly startStack: bigint;
    readonly argStart: bigint;
    readonly argEnd: bigint;
    readonly envStart: bigint;
    readonly envEnd: bigint;
  };
}

/** Reads /proc/PID/stat. The name may hold blanks and parentheses: the last ")" ends it. */
export function parseStat(bytes: Uint8Array): Stat {
  const text = decodeText(bytes);
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  const words = text.slice(close + 2).split(' ');
  /** Numbered as in the manual page, where pid is 1 and state 3. */
  const word = (field: number): string => words[field - 3]?.trim() ?? '0';
  const number = (field: number): number => Number(word(field));
  const wide = (field: number): bigint => BigInt(word(field));
  return {
    pid: Number(text.slice(0, open)),
    comm: text.slice(open + 1, close),
    state: word(3),
    ppid: number(4),
    pgid: number(5),
    sid: number(6),
    tty: number(7),
    foreground: number(8),
    flags: number(9),
    nice: number(19),
    exitSignal: number(38),
    priority: number(40),
    policy: number(41),
    mm: {
      startCode: wide(26),
      endCode: wide(27),
      startData: wide(45),
      endData: wide(46),
      startBrk: wide(47),
      startStack: wide(28),
      argStart: wide(48),
      argEnd: wide(49),
      envStart: wide(50),
      envEnd: wide(51),
    },
  };
}

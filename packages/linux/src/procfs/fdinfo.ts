import { decodeText } from '@ckpt/io';

/** open(2) of x86-64: shown with the flags, though it belongs to the descriptor. */
const O_CLOEXEC = 0o2000000;

/** /proc/PID/fdinfo/FD (proc_pid_fdinfo(5)). */
export interface FdInfo {
  /** File offset, bytes. */
  readonly position: bigint;
  /** As fcntl(2) F_GETFL gives them, O_LARGEFILE included. */
  readonly flags: number;
  /** fcntl(2) FD_CLOEXEC. */
  readonly closeOnExec: boolean;
  /** Of the file; undefined before Linux 5.14. */
  readonly inode: bigint | undefined;
  /** What follows: locks, and what the kind of file has to say. */
  readonly lines: readonly string[];
}

const common = /^(pos|flags|mnt_id|ino):\s*(\S+)$/;

/** Reads /proc/PID/fdinfo/FD. @returns undefined when flags or position are missing. */
export function parseFdInfo(bytes: Uint8Array): FdInfo | undefined {
  const found = new Map<string, string>();
  const lines: string[] = [];
  for (const line of decodeText(bytes).split('\n')) {
    const [, name, value] = (lines.length === 0 ? common.exec(line) : undefined) ?? [];
    if (name !== undefined && value !== undefined) found.set(name, value);
    else if (line !== '') lines.push(line);
  }
  const flags = Number.parseInt(found.get('flags') ?? '', 8);
  const position = found.get('pos');
  if (position === undefined || Number.isNaN(flags)) return undefined;
  const inode = found.get('ino');
  return {
    // lseek(2) gives no negative offset, /dev/mem and /proc/PID/mem apart.
    position: BigInt.asUintN(64, BigInt(position)),
    flags: flags & ~O_CLOEXEC,
    closeOnExec: (flags & O_CLOEXEC) !== 0,
    inode: inode === undefined ? undefined : BigInt(inode),
    lines,
  };
}

/** The value of the line "name: value"; undefined when there is none. */
export function fieldOf(info: FdInfo, name: string): string | undefined {
  const line = info.lines.find((each) => each.startsWith(`${name}:`));
  return line?.slice(name.length + 1).trim();
}

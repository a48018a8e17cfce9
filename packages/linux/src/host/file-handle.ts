import type { FileHandle } from '@ckpt/engine';
import { closeSync, constants, readlinkSync, statSync } from 'node:fs';
import type { ProcDirectory } from './proc-directory.ts';
import { address, stableBytes, trySyscall } from './syscall.ts';

const AT_FDCWD = -100;
const { O_DIRECTORY, O_NOCTTY, O_NONBLOCK } = constants;
const O_CLOEXEC = 0o2000000;
const O_PATH = 0o10000000;
/** struct file_handle: u32 handle_bytes, i32 handle_type, then the bytes. */
const headSize = 8;

/** "\040" of /proc/PID/mountinfo is a space. */
const plain = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );

/** Where the file system of a device is mounted; whole ones first (proc_pid_mountinfo(5)). */
function mountPoints(mountinfo: string, device: string): readonly string[] {
  const mounts = mountinfo.split('\n').map((line) => line.split(' '));
  const found = mounts.filter(([, , dev]) => dev === device);
  const isPart = ([, , , root]: readonly string[]): number => (root === '/' ? 0 : 1);
  return found.sort((a, b) => isPart(a) - isPart(b)).map(([, , , , point = '']) => plain(point));
}

function openHandle(mountPoint: string, { type, bytes }: FileHandle): number {
  const path = Buffer.from(`${mountPoint}\0`);
  const flags = O_DIRECTORY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  const mount = trySyscall('openat', AT_FDCWD, address(path), flags);
  if (mount < 0) return mount;
  try {
    const handle = stableBytes(headSize + bytes.length);
    handle.writeUInt32LE(bytes.length, 0);
    handle.writeInt32LE(type, 4);
    handle.set(bytes, headSize);
    return trySyscall('open_by_handle_at', mount, address(handle), O_PATH | O_CLOEXEC);
  } finally {
    closeSync(mount);
  }
}

/** The name of what a descriptor leads to, if the same file has this name now. */
function nameOf(fd: number, inode: bigint): string | undefined {
  try {
    const name = readlinkSync(`/proc/self/fd/${fd}`);
    return statSync(name, { bigint: true }).ino === inode ? name : undefined;
  } catch {
    // It has no name any more, or none that leads to it from here.
    return undefined;
  }
}

/**
 * Path of a file that is known by its handle; takes CAP_DAC_READ_SEARCH. Nobody who watches sees it,
 * who watches for opens of a mount point apart: that is opened.
 */
export function pathOfHandle(proc: ProcDirectory, handle: FileHandle): string | undefined {
  const device = `${handle.major}:${handle.minor}`;
  for (const point of mountPoints(proc.readText('mountinfo'), device)) {
    const fd = openHandle(point, handle);
    if (fd < 0) continue;
    try {
      const name = nameOf(fd, handle.inode);
      if (name !== undefined) return name;
    } finally {
      closeSync(fd);
    }
  }
  return undefined;
}

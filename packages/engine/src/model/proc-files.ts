import { CkptError } from '@ckpt/format';
import { encodeText } from '@ckpt/io';
import type { FileStat } from '../file-stat.ts';
import { offsetsText, ownTime } from './clocks.ts';
import { Inode } from './file-system.ts';
import { coreFilter } from './mm-extras.ts';
import { locksOf } from './path-file.ts';
import { mapsText, smapsText } from './proc-memory.ts';
import { statText, statusText } from './proc-status.ts';
import type { ModelProcess } from './process.ts';
import type { ModelThread } from './thread.ts';

const O_CLOEXEC = 0o2000000;

/** /proc/PID/fdinfo/FD */
function fdinfo(process: ModelProcess, fd: number): string | undefined {
  if (!process.table.has(fd)) return undefined;
  const { file, closeOnExec } = process.table.at(fd);
  const flags = (file.flags | (closeOnExec ? O_CLOEXEC : 0)).toString(8);
  const { ino } = file.object.stat();
  const common = `pos:\t${file.position.toString()}\nflags:\t0${flags}\nmnt_id:\t1\n`;
  return `${common}ino:\t${ino.toString()}\n${locksOf(file)}${file.object.lines?.() ?? ''}`;
}

/** With its NUL taken off, and procfs's newline. */
function comm({ comm: bytes }: ModelThread): Uint8Array {
  const end = bytes.indexOf(0);
  return Uint8Array.of(...bytes.subarray(0, end < 0 ? bytes.length : end), 0x0a);
}

type Make = (process: ModelProcess, thread: ModelThread) => string | Uint8Array;

/** Files of /proc/PID/task/TID, and of /proc/PID for the leader. */
const threadFiles: Readonly<Record<string, Make>> = {
  stat: statText,
  status: statusText,
  comm: (_process, thread) => comm(thread),
  children: () => '',
};

const processFiles: Readonly<Record<string, Make>> = {
  ...threadFiles,
  maps: mapsText,
  smaps: smapsText,
  limits: ({ limits }) => limits.text(),
  auxv: ({ mm }) => mm.auxv,
  timers: ({ timers, pid }) => timers.text(pid),
  personality: ({ personality }) => `${personality.toString(16).padStart(8, '0')}\n`,
  coredump_filter: (process) => `${coreFilter(process).toString(16).padStart(8, '0')}\n`,
  timens_offsets: offsetsText,
  oom_score_adj: ({ oomScoreAdjust }) => `${oomScoreAdjust}\n`,
  // Nobody is in a multicast group.
  'net/igmp': () => '',
  'net/igmp6': () => '',
};

/** Bytes of /proc/PID/`path`. @throws CkptError ENODATA for what the model does not have. */
export function readProc(process: ModelProcess, path: string): Uint8Array | undefined {
  const [, tid, inTask] = /^task\/(\d+)\/(.*)$/.exec(path) ?? [];
  const [, fd] = /^fdinfo\/(\d+)$/.exec(path) ?? [];
  const thread = tid === undefined ? process.front : process.threads.get(Number(tid));
  if (thread === undefined) return undefined;
  const files = tid === undefined ? processFiles : threadFiles;
  const name = inTask ?? path;
  const made =
    fd === undefined
      ? Object.hasOwn(files, name)
        ? files[name]?.(process, thread)
        : unknown(path)
      : fdinfo(process, Number(fd));
  return typeof made === 'string' ? encodeText(made) : made;
}

function unknown(path: string): never {
  throw new CkptError('ENODATA', `the model of the kernel has no /proc/PID/${path}`);
}

/** Target of the link /proc/PID/`path`. */
export function linkProc(process: ModelProcess, path: string): string | undefined {
  const [, fd] = /^fd\/(\d+)$/.exec(path) ?? [];
  if (fd !== undefined) {
    const number = Number(fd);
    return process.table.has(number) ? process.table.at(number).file.object.link() : undefined;
  }
  const [, namespace] = /^ns\/(\w+)$/.exec(path) ?? [];
  if (namespace !== undefined) {
    return ownTime(process, namespace) ?? process.machine.system.self?.namespaces[namespace];
  }
  const [, start] = /^map_files\/([0-9a-f]+)-[0-9a-f]+$/.exec(path) ?? [];
  if (start !== undefined) return mappedFile(process, start)?.mapName();
  if (path === 'exe') return process.mm.exe;
  if (path === 'cwd') return process.cwd.path;
  return path === 'root' ? '/' : unknown(path);
}

function mappedFile(process: ModelProcess, start: string) {
  const backing = process.space.at(BigInt(`0x${start}`))?.backing;
  return backing?.kind === 'object' ? backing.object : undefined;
}

/** The file that a link under /proc/PID leads to: exe, map_files/..., root/... */
export function behind(process: ModelProcess, path: string): Inode | undefined {
  const { files } = process.machine;
  if (path.startsWith('root/')) return files.entry(path.slice(4))?.inode;
  if (path === 'cwd') return process.cwd.inode;
  if (path === 'exe') return process.mm.exeFile ?? files.entry(process.mm.exe)?.inode;
  const [, start] = /^map_files\/([0-9a-f]+)-/.exec(path) ?? [];
  const object = start === undefined ? unknown(path) : mappedFile(process, start);
  return object instanceof Inode ? object : undefined;
}

/** stat(2) through /proc/PID/`path`. */
export function statProc(process: ModelProcess, path: string): FileStat | undefined {
  const [, fd] = /^fd\/(\d+)$/.exec(path) ?? [];
  if (fd !== undefined) {
    const number = Number(fd);
    return process.table.has(number) ? process.table.at(number).file.object.stat() : undefined;
  }
  return behind(process, path)?.stat;
}

/** Names in /proc/PID/`path`. */
export function listProc(process: ModelProcess, path: string): readonly string[] {
  if (path === 'fd' || path === 'fdinfo') return process.table.numbers.map(String);
  if (path === 'task') return [...process.threads.keys()].map(String);
  return unknown(path);
}

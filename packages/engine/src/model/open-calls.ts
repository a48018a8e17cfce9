import {
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFSOCK,
  type Entry,
  type Inode,
} from './file-system.ts';
import { O_LARGEFILE, type FileObject, type OpenFile } from './open-file.ts';
import { DeviceFile, PathFile } from './path-file.ts';
import { FifoEnd, PipeEnd, readsFrom, writesTo } from './pipe.ts';
import type { ModelProcess } from './process.ts';
import { procSelf } from './proc-self.ts';
import { refuse, Unmodelled } from './refuse.ts';
import type { Caller, SystemCalls, Words } from './system-call.ts';
import { isTerminal, Terminal } from './terminal.ts';

/** open(2) of x86-64. */
const O_ACCMODE = 3;
const O_WRONLY = 1;
const O_RDWR = 2;
const O_CREAT = 0o100;
const O_EXCL = 0o200;
const O_NOCTTY = 0o400;
const O_TRUNC = 0o1000;
const O_NONBLOCK = 0o4000;
const O_DIRECTORY = 0o200000;
const O_NOFOLLOW = 0o400000;
const O_CLOEXEC = 0o2000000;
const O_TMPFILE = 0o20000000;
const O_PATH = 0o10000000;
const AT_FDCWD = -100;
/** What is not told by F_GETFL. */
const once = O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC;
const pathFlags = O_DIRECTORY | O_NOFOLLOW | O_PATH;

const CAP_DAC_OVERRIDE = 1;
const CAP_DAC_READ_SEARCH = 2;

/** True when the thread's ids for files give it the wanted bits: 4 reads, 2 writes, 1 executes. */
function permits({ thread: { credentials } }: Caller, { stat }: Inode, wanted: number): boolean {
  const isDirectory = (stat.mode & 0o170000) === S_IFDIR;
  if (credentials.can(CAP_DAC_OVERRIDE)) {
    return (wanted & 1) === 0 || isDirectory || (stat.mode & 0o111) !== 0;
  }
  const readsOnly = (wanted & 2) === 0 && (isDirectory || wanted === 4);
  if (readsOnly && credentials.can(CAP_DAC_READ_SEARCH)) return true;
  const { uid, gid, groups } = credentials;
  const isGroup = gid.fs === stat.gid || groups.includes(stat.gid);
  const shift = uid.fs === stat.uid ? 6 : isGroup ? 3 : 0;
  return ((stat.mode >> shift) & wanted) === wanted;
}

/** Directories above a path may all be searched. */
function checkSearch(caller: Caller, path: string): void {
  const { files } = caller.process.machine;
  for (let at = path.lastIndexOf('/'); at >= 0; at = path.lastIndexOf('/', at - 1)) {
    const directory = files.entry(path.slice(0, Math.max(at, 1)));
    if (directory !== undefined && !permits(caller, directory.inode, 1)) {
      refuse('EACCES', `${directory.path} may not be searched`);
    }
    if (at === 0) break;
  }
}

const fdLink = /^\/proc\/self\/fd\/(\d+)$/;

/** What a path leads to: an entry, or a description of our own once more. */
function lookUp(caller: Caller, path: string): Entry | OpenFile | undefined {
  const { process } = caller;
  const number = fdLink.exec(path)?.[1];
  if (number !== undefined) {
    const fd = Number(number);
    return process.table.has(fd) ? process.table.at(fd).file : undefined;
  }
  const outside = process.machine.outside.at(path);
  if (outside !== undefined) return outside;
  if (path.startsWith('/proc/')) return process.describe(procSelf(caller, path), O_WRONLY);
  checkSearch(caller, path);
  return process.machine.files.entry(path);
}

function absolute({ process }: Caller, directory: number, path: string): string {
  if (path.startsWith('/')) return path;
  if (path === '') refuse('ENOENT', 'no path');
  if (directory !== AT_FDCWD) throw new Unmodelled('path relative to a descriptor');
  return `${process.cwd.path === '/' ? '' : process.cwd.path}/${path}`;
}

function checkType({ inode, path }: Entry, flags: number): void {
  const isPath = (flags & O_PATH) !== 0;
  const writes = (flags & O_ACCMODE) !== 0;
  if ((flags & O_DIRECTORY) !== 0 && inode.type !== S_IFDIR) refuse('ENOTDIR', path);
  if (isPath) return;
  if (inode.type === S_IFDIR && writes) refuse('EISDIR', `${path} is a directory`);
  if (inode.type === S_IFSOCK) refuse('ENXIO', `${path} is a socket`);
  if (inode.type === S_IFLNK) {
    if ((flags & O_NOFOLLOW) !== 0) refuse('ELOOP', `${path} is a link`);
    throw new Unmodelled('symbolic link');
  }
}

function openFifo(entry: Entry, flags: number): FileObject {
  const end = new FifoEnd(entry);
  const mode = flags & O_ACCMODE;
  const ends = [...end.ring.ends];
  const isAlone =
    mode === O_WRONLY ? !ends.some(readsFrom) : mode !== O_RDWR && !ends.some(writesTo);
  if (!isAlone) return end;
  if ((flags & O_NONBLOCK) === 0)
    throw new Unmodelled('thread that waits for the other end of a FIFO');
  if (mode === O_WRONLY) refuse('ENXIO', 'nobody reads');
  return end;
}

function objectOf(entry: Entry, flags: number): FileObject {
  const { inode } = entry;
  if ((flags & O_PATH) !== 0) return new PathFile(entry);
  if (inode.type === S_IFIFO) return openFifo(entry, flags);
  if (inode.type !== S_IFCHR) return new PathFile(entry);
  return isTerminal(inode.stat.rdev) ? new Terminal(entry) : new DeviceFile(entry);
}

const wantedBits = [4, 2, 6, 6];

/** Opens an entry once more. */
function openEntry(caller: Caller, entry: Entry, flags: number): OpenFile {
  checkType(entry, flags);
  const isPath = (flags & O_PATH) !== 0;
  const bits = wantedBits[flags & O_ACCMODE] ?? 6;
  if (!isPath && !permits(caller, entry.inode, bits)) refuse('EACCES', entry.path);
  if (!isPath && (flags & O_TRUNC) !== 0) throw new Unmodelled('O_TRUNC');
  const kept = isPath ? flags & pathFlags : (flags & ~once) | O_LARGEFILE;
  const file = caller.process.describe(objectOf(entry, flags), kept);
  if (file.object instanceof FifoEnd) file.object.ring.ends.add(file);
  return file;
}

/** A description of our own, opened once more through /proc/self/fd. */
function openAgain(caller: Caller, { object }: OpenFile, flags: number): OpenFile {
  if (object.link().startsWith('/proc/')) return caller.process.describe(object, flags & ~once);
  if (object instanceof PathFile) return openEntry(caller, object.entry, flags & ~O_NOFOLLOW);
  if (object instanceof PipeEnd) {
    const end = new PipeEnd(object.ring, object.stat().ino);
    const isPath = (flags & O_PATH) !== 0;
    const kept = isPath ? flags & pathFlags : (flags & ~once) | O_LARGEFILE;
    const file = caller.process.describe(end, kept);
    if (!isPath) object.ring.ends.add(file);
    return file;
  }
  return refuse('ENXIO', `${object.link()} cannot be opened again`);
}

function create(caller: Caller, path: string, args: Words): Entry {
  const { process, thread } = caller;
  const mode = args.int(3) & 0o7777 & ~process.umask;
  const { uid, gid } = thread.credentials;
  const parent = process.machine.files.entry(path.slice(0, Math.max(path.lastIndexOf('/'), 1)));
  if (parent !== undefined && !permits(caller, parent.inode, 3)) refuse('EACCES', parent.path);
  return process.machine.files.create(path, mode, uid.fs, gid.fs);
}

function openat(caller: Caller, args: Words): number {
  const { process } = caller;
  const flags = args.int(2);
  if ((flags & O_TMPFILE & ~O_DIRECTORY) !== 0) throw new Unmodelled('O_TMPFILE');
  const path = absolute(caller, args.int(0), process.user.text(args.word(1)));
  const found = lookUp(caller, path);
  const creates = (flags & O_CREAT) !== 0;
  if (found !== undefined && creates && (flags & O_EXCL) !== 0) refuse('EEXIST', path);
  if (found === undefined && !creates) refuse('ENOENT', path);
  const file =
    found === undefined
      ? process.describe(new PathFile(create(caller, path, args)), (flags & ~once) | O_LARGEFILE)
      : 'inode' in found
        ? openEntry(caller, found, flags)
        : openAgain(caller, found, flags);
  return addOrRelease(process, file, (flags & O_CLOEXEC) !== 0);
}

/** A description that finds no number is gone again. */
function addOrRelease(process: ModelProcess, file: OpenFile, closeOnExec: boolean): number {
  try {
    return process.table.add(file, closeOnExec);
  } catch (error) {
    file.object.release?.(file);
    throw error;
  }
}

function unlink(caller: Caller, args: Words): number {
  const { process } = caller;
  const path = absolute(caller, AT_FDCWD, process.user.text(args.word(0)));
  checkSearch(caller, path);
  const parent = process.machine.files.entry(path.slice(0, Math.max(path.lastIndexOf('/'), 1)));
  if (parent !== undefined && !permits(caller, parent.inode, 3)) refuse('EACCES', parent.path);
  process.machine.files.unlink(path);
  return 0;
}

export const openCalls: SystemCalls = { openat, unlink };

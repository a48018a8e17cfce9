import { EventFile } from './eventfd.ts';
import type { FileStat } from '../file-stat.ts';
import { Inode, S_IFREG, type Entry } from './file-system.ts';
import { O_LARGEFILE, type OpenFile } from './open-file.ts';
import { PathFile } from './path-file.ts';
import { PipeEnd, PipeRing } from './pipe.ts';

import { refuse, Unmodelled } from './refuse.ts';
import type { Caller, SystemCalls, Words } from './system-call.ts';

/** open(2) */
const O_ACCMODE = 3;
const O_WRONLY = 1;
const O_RDWR = 2;
const O_DIRECT = 0o40000;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
/** memfd_create(2), fcntl(2) */
const MFD_ALLOW_SEALING = 2;
const F_SEAL_SEAL = 1;
const F_SEAL_SHRINK = 2;
const F_SEAL_GROW = 4;
const CAP_CHOWN = 0;
const CAP_FOWNER = 3;
/** struct stat (asm/stat.h of x86-64). */
const statSize = 144;

function writeStat({ process }: Caller, address: bigint, stat: FileStat): number {
  process.user.put(address, statSize, (view) => {
    view.setBigUint64(0, stat.dev, true);
    view.setBigUint64(8, stat.ino, true);
    view.setBigUint64(16, BigInt(stat.nlink), true);
    view.setUint32(24, stat.mode, true);
    view.setUint32(28, stat.uid, true);
    view.setUint32(32, stat.gid, true);
    view.setBigUint64(40, stat.rdev, true);
    view.setBigUint64(48, stat.size, true);
    view.setBigUint64(88, stat.mtime / 1_000_000_000n, true);
    view.setBigUint64(96, stat.mtime % 1_000_000_000n, true);
  });
  return 0;
}

const canWrite = ({ flags }: OpenFile): boolean => (flags & O_ACCMODE) !== 0;
const canRead = ({ flags }: OpenFile): boolean => (flags & O_ACCMODE) !== O_WRONLY;

/** What write(2) does: at the offset, or to what has none. */
function writeTo(file: OpenFile, bytes: Uint8Array): number {
  if (!canWrite(file)) refuse('EBADF', 'it was not opened for writing');
  if (file.object.write !== undefined) return file.object.write(file, bytes);
  const done = file.object.writeAt?.(file.position, bytes) ?? refuse('EINVAL', 'nothing to write');
  file.position += BigInt(done);
  return done;
}

function pwrite(file: OpenFile, offset: bigint, bytes: Uint8Array): number {
  if (offset < 0n) refuse('EINVAL', 'a negative offset');
  if (file.object.isSeekable !== true) refuse('ESPIPE', 'it has no offset');
  if (!canWrite(file)) refuse('EBADF', 'it was not opened for writing');
  return file.object.writeAt?.(offset, bytes) ?? refuse('EINVAL', 'nothing to write');
}

function pread({ process }: Caller, args: Words): number {
  const file = process.table.file(args.int(0));
  if (args.signed(3) < 0n) refuse('EINVAL', 'a negative offset');
  if (file.object.isSeekable !== true) refuse('ESPIPE', 'it has no offset');
  if (!canRead(file)) refuse('EBADF', 'it was not opened for reading');
  const bytes = file.object.readAt?.(args.word(3), args.size(2)) ?? refuse('EINVAL');
  process.user.write(args.word(1), bytes);
  return bytes.length;
}

function lseek({ process }: Caller, args: Words): bigint {
  const file = process.table.file(args.int(0));
  if (file.object.isSeekable !== true) refuse('ESPIPE', 'it has no offset');
  const bases = [0n, file.position, file.object.stat().size];
  const base = bases[args.int(2)];
  if (base === undefined) throw new Unmodelled(`lseek(2) from ${args.int(2)}`);
  const next = base + args.signed(1);
  if (next < 0n || next > 0x7fff_ffff_ffff_ffffn) refuse('EINVAL', 'no offset');
  file.position = next;
  return next;
}

function ftruncate({ process }: Caller, args: Words): number {
  const file = process.table.file(args.int(0));
  const size = args.signed(1);
  if (size < 0n) refuse('EINVAL', 'a negative size');
  if (!(file.object instanceof PathFile)) return refuse('EINVAL', 'it has no size');
  if (!canWrite(file)) refuse('EINVAL', 'it was not opened for writing');
  const { inode } = file.object;
  if (inode.type !== S_IFREG) refuse('EINVAL', 'it is no regular file');
  const seals = inode.seals ?? 0;
  const sealed = size < inode.stat.size ? F_SEAL_SHRINK : F_SEAL_GROW;
  if (size !== inode.stat.size && (seals & sealed) !== 0) refuse('EPERM', 'it is sealed');
  if (size < inode.stat.size) throw new Unmodelled('ftruncate(2) that cuts');
  inode.stat = { ...inode.stat, size };
  return 0;
}

/** A file without a name. @throws CkptError EINVAL for flags that are not modelled to be so. */
function memfdCreate(caller: Caller, args: Words): number {
  const { process, thread } = caller;
  const name = process.user.text(args.word(0));
  const flags = args.unsigned(1);
  if ((flags & ~3) !== 0) throw new Unmodelled(`memfd_create(2) with flags ${flags}`);
  const { uid, gid } = thread.credentials;
  const stat: FileStat = {
    ...{ dev: 1n, ino: process.machine.nextInode(), mode: S_IFREG | 0o777, nlink: 0 },
    ...{ uid: uid.fs, gid: gid.fs, rdev: 0n, size: 0n, mtime: 0n },
  };
  const inode = new Inode(stat, true);
  inode.name = `/memfd:${name}`;
  inode.seals = (flags & MFD_ALLOW_SEALING) === 0 ? F_SEAL_SEAL : 0;
  const entry: Entry = { path: `/memfd:${name}`, inode, isDeleted: true };
  return process.open(new PathFile(entry), O_RDWR | O_LARGEFILE, (flags & 1) !== 0);
}

function pipe2({ process }: Caller, args: Words): number {
  const flags = args.int(1);
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT)) !== 0) refuse('EINVAL', `flags ${flags}`);
  const [ring, inode] = [new PipeRing(), process.machine.nextInode()];
  const open = (mode: number): number => {
    const file = process.describe(new PipeEnd(ring, inode), mode | (flags & ~O_CLOEXEC));
    ring.ends.add(file);
    return process.table.add(file, (flags & O_CLOEXEC) !== 0);
  };
  const read = open(0);
  let write: number;
  try {
    write = open(O_WRONLY);
  } catch (error) {
    process.table.remove(read);
    throw error;
  }
  process.user.put(args.word(0), 8, (view) => {
    view.setInt32(0, read, true);
    view.setInt32(4, write, true);
  });
  return 0;
}

function change(
  { thread: { credentials } }: Caller,
  inode: Inode,
  next: Partial<FileStat>,
): number {
  const owns = credentials.uid.fs === inode.stat.uid;
  const may = next.mode === undefined ? CAP_CHOWN : CAP_FOWNER;
  const isSame =
    next.uid === undefined || (next.uid === inode.stat.uid && next.gid === inode.stat.gid);
  if (!credentials.can(may) && !(owns && isSame)) refuse('EPERM', 'it belongs to somebody else');
  inode.stat = { ...inode.stat, ...next };
  return 0;
}

const modeOf = ({ stat }: Inode, mode: number): Partial<FileStat> => ({
  mode: (stat.mode & ~0o7777) | (mode & 0o7777),
});

function ownerOf({ stat }: Inode, args: Words): Partial<FileStat> {
  const pick = (index: number, old: number): number =>
    args.unsigned(index) === 0xffff_ffff ? old : args.unsigned(index);
  return { uid: pick(1, stat.uid), gid: pick(2, stat.gid) };
}

/** The file behind a descriptor. */
function inodeAt({ process }: Caller, fd: number): Inode {
  const { object } = process.table.file(fd);
  return object instanceof PathFile ? object.inode : refuse('EINVAL', 'it has no file');
}

function inodeOf({ process }: Caller, args: Words): Inode {
  const path = process.user.text(args.word(0));
  return process.machine.files.entry(path)?.inode ?? refuse('ENOENT', path);
}

export const fileCalls: SystemCalls = {
  fstat: (caller, args) =>
    writeStat(caller, args.word(1), caller.process.table.at(args.int(0)).file.object.stat()),
  lseek,
  pread64: pread,
  pwrite64: ({ process }, args) => {
    const bytes = process.user.read(args.word(1), args.size(2));
    return pwrite(process.table.file(args.int(0)), args.signed(3), bytes);
  },
  write: ({ process }, args) => {
    const file = process.table.file(args.int(0));
    return writeTo(file, process.user.read(args.word(1), args.size(2)));
  },
  ftruncate,
  memfd_create: memfdCreate,
  eventfd2: ({ process }, args) => {
    const flags = args.int(1);
    if ((flags & ~(O_CLOEXEC | O_NONBLOCK | 1)) !== 0) refuse('EINVAL', `flags ${flags}`);
    const object = new EventFile(BigInt(args.unsigned(0)), (flags & 1) !== 0);
    return process.open(object, O_RDWR | (flags & O_NONBLOCK), (flags & O_CLOEXEC) !== 0);
  },
  pipe2,
  fchmod: (caller, args) => {
    const inode = inodeAt(caller, args.int(0));
    return change(caller, inode, modeOf(inode, args.int(1)));
  },
  fchown: (caller, args) => {
    const inode = inodeAt(caller, args.int(0));
    return change(caller, inode, ownerOf(inode, args));
  },
  chmod: (caller, args) => {
    const inode = inodeOf(caller, args);
    return change(caller, inode, modeOf(inode, args.int(1)));
  },
  chown: (caller, args) => {
    const inode = inodeOf(caller, args);
    return change(caller, inode, ownerOf(inode, args));
  },
};

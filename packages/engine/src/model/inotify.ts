import type { FileStat } from '../file-stat.ts';
import { anonymousInode, anonymousStat } from './eventfd.ts';
import type { FileSystem, Inode } from './file-system.ts';
import { hexOf } from './hex.ts';
import type { FileObject, OpenFile } from './open-file.ts';
import { PathFile } from './path-file.ts';
import type { ModelProcess } from './process.ts';
import { refuse, Unmodelled } from './refuse.ts';
import type { Caller, SystemCalls, Words } from './system-call.ts';

const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
const FIONREAD = 0x541b;
const POLLIN = 0x41;
/** What a watch tells of and how, and what only inotify_add_watch(2) minds. */
const toldMask = 0x8400_0fff;
/** Bytes of an event without a name (inotify(7)). */
const eventSize = 16;
const IN_IGNORED = 0x8000;

interface Watch {
  readonly inode: Inode;
  readonly mask: number;
}

/** Any name of a file; undefined when it has none. */
export function pathOfInode(files: FileSystem, inode: bigint): string | undefined {
  return files.paths.find((path) => files.entry(path)?.inode.inode === inode);
}

/** Bytes of a handle as ext4 makes them, all but the generation. */
function handleOf({ inode }: Inode): string {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setUint32(0, Number(BigInt.asUintN(32, inode)), true);
  return hexOf(bytes);
}

/** A watch list of inotify(7). Nobody changes files here: what is told is that a watch has gone. */
class InotifyFile implements FileObject {
  readonly #watches = new Map<number, Watch>();
  #last = 0;
  #gone: number[] = [];

  link(): string {
    return 'anon_inode:inotify';
  }

  stat(): FileStat {
    return anonymousStat(anonymousInode);
  }

  lines(): string {
    const text = ([wd, { inode, mask }]: readonly [number, Watch]): string => {
      const { dev } = inode.stat;
      const device = ((dev >> 8n) << 20n) | (dev & 0xffn);
      const handle = `fhandle-bytes:8 fhandle-type:1 f_handle:${handleOf(inode)}`;
      const what = `ino:${inode.inode.toString(16)} sdev:${device.toString(16)}`;
      return `inotify wd:${wd.toString(16)} ${what} mask:${mask.toString(16)} ignored_mask:0 ${handle}\n`;
    };
    return [...this.#watches].reverse().map(text).join('');
  }

  poll(): number {
    return this.#gone.length > 0 ? POLLIN : 0;
  }

  ioctl({ process }: Caller, _file: OpenFile, args: Words): number {
    if (args.unsigned(1) !== FIONREAD) refuse('ENOTTY', 'inotify has no such ioctl');
    process.user.putInt(args.word(2), eventSize * this.#gone.length);
    return 0;
  }

  add(inode: Inode, given: number): number {
    const mask = (given & toldMask) >>> 0;
    if ((mask & 0xfff) === 0) refuse('EINVAL', 'nothing to tell of');
    const known = [...this.#watches].find(([, watch]) => watch.inode === inode)?.[0];
    const wd = known ?? ++this.#last;
    this.#watches.set(wd, { inode, mask });
    return wd;
  }

  remove(wd: number): void {
    if (!this.#watches.delete(wd)) refuse('EINVAL', `no watch ${wd}`);
    this.#gone.push(wd);
  }

  /** Events as bytes: as many as fit. */
  read({ flags }: OpenFile, length: number): Uint8Array {
    if (this.#gone.length === 0) {
      if ((flags & O_NONBLOCK) === 0) throw new Unmodelled('thread that waits for an event');
      refuse('EAGAIN', 'no event');
    }
    const told = this.#gone.splice(0, Math.floor(length / eventSize));
    if (told.length === 0) refuse('EINVAL', 'no room for an event');
    const bytes = new Uint8Array(eventSize * told.length);
    const view = new DataView(bytes.buffer);
    for (const [index, wd] of told.entries()) {
      view.setInt32(index * eventSize, wd, true);
      view.setUint32(index * eventSize + 4, IN_IGNORED, true);
    }
    return bytes;
  }
}

function inodeOf({ table, machine }: ModelProcess, path: string): Inode {
  const number = /^\/proc\/self\/fd\/(\d+)$/.exec(path)?.[1];
  if (number === undefined) return (machine.files.entry(path) ?? refuse('ENOENT', path)).inode;
  const { object } = table.at(Number(number)).file;
  if (object instanceof PathFile) return object.inode;
  throw new Unmodelled(`watch of ${object.link()}`);
}

function inotifyOf({ table }: ModelProcess, fd: number): InotifyFile {
  const { object } = table.file(fd);
  return object instanceof InotifyFile ? object : refuse('EINVAL', 'it is no inotify');
}

export const inotifyCalls: SystemCalls = {
  inotify_init1: ({ process }, args) => {
    const flags = args.int(0);
    if ((flags & ~(O_NONBLOCK | O_CLOEXEC)) !== 0) refuse('EINVAL', `flags ${flags}`);
    return process.open(new InotifyFile(), flags & O_NONBLOCK, (flags & O_CLOEXEC) !== 0);
  },
  inotify_add_watch: ({ process }, args) => {
    const inotify = inotifyOf(process, args.int(0));
    return inotify.add(inodeOf(process, process.user.text(args.word(1))), args.unsigned(2));
  },
  inotify_rm_watch: ({ process }, args) => {
    inotifyOf(process, args.int(0)).remove(args.int(1));
    return 0;
  },
  read: ({ process }, args) => {
    const file = process.table.file(args.int(0));
    if (!(file.object instanceof InotifyFile)) throw new Unmodelled('read(2) of that');
    const bytes = file.object.read(file, args.size(2));
    process.user.write(args.word(1), bytes);
    return bytes.length;
  },
};

import type { CheckpointScope, FileHandle, FileStat } from '@ckpt/engine';
import { inotifyEvents } from '@ckpt/format';

/** "inotify wd:1 ino:2a sdev:fe00000 mask:fce ignored_mask:0 fhandle-bytes:8 ...": all in hex. */
const pattern = /^inotify wd:([0-9a-f]+) ino:([0-9a-f]+) sdev:([0-9a-f]+) mask:([0-9a-f]+) /;
const handlePattern = / fhandle-type:([0-9a-f]+) f_handle:([0-9a-f]*)$/;

/** Bits of a device number inside of the kernel (linux/kdev_t.h). */
const minorBits = 20;

/** All bits that inotify_add_watch(2) takes and fdinfo tells. */
export const maskBits = Object.values(inotifyEvents).reduce((all, bit) => all + bit, 0);

/** A line of fdinfo. */
export interface Watched {
  readonly wd: number;
  readonly mask: number;
  readonly inode: bigint;
  /** "253:1" */
  readonly device: string;
  /** Undefined where the file system makes none. */
  readonly handle: FileHandle | undefined;
}

const hex = (text = ''): number => Number.parseInt(text, 16);

export function parseWatched(line: string): Watched | undefined {
  const [, wd, ino, sdev, mask] = pattern.exec(line) ?? [];
  if (wd === undefined) return undefined;
  const inode = BigInt(`0x${ino ?? '0'}`);
  const [major, minor] = [hex(sdev) >>> minorBits, hex(sdev) & ((1 << minorBits) - 1)];
  const [, type, bytes = ''] = handlePattern.exec(line) ?? [];
  const handle =
    type === undefined
      ? undefined
      : {
          ...{ major, minor, inode, type: hex(type) },
          bytes: Uint8Array.from(bytes.match(/../g) ?? [], hex),
        };
  // Bits that older kernels show beside what was asked for.
  const asked = Number(BigInt(hex(mask)) & BigInt(maskBits));
  return { wd: hex(wd), mask: asked, inode, device: `${major}:${minor}`, handle };
}

/** What is watched, by a name that leads to it now; undefined when there is none. */
export function findWatched(
  { frozen, task }: CheckpointScope,
  { handle, inode }: Watched,
): { readonly name: string; readonly stat: FileStat } | undefined {
  if (handle === undefined) return undefined;
  const name = frozen.pathOf?.(task, handle);
  const stat = name === undefined ? undefined : frozen.stat(task, `root${name}`);
  return name === undefined || stat?.ino !== inode ? undefined : { name, stat };
}

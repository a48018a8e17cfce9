import type { CheckpointScope, FileStat } from '@ckpt/engine';
import { pathFlags } from '@ckpt/format';
import { parseStatus, type Status } from '../procfs/status.ts';
import { required } from './facts.ts';
import { fileTypes, typeOf } from './path-type.ts';

/** capabilities(7) */
const CAP_DAC_OVERRIDE = 1n;
const CAP_DAC_READ_SEARCH = 2n;

/** Permission bits of one class (inode(7)). */
const READ = 4;
const WRITE = 2;
const SEARCH = 1;

/** True where the mode of a file lets these credentials do all that is wanted. Lists are not seen. */
function allows({ mode, uid, gid }: FileStat, status: Status, wanted: number): boolean {
  const { capabilities, groups } = status;
  const has = (bit: bigint): boolean => ((capabilities.effective >> bit) & 1n) === 1n;
  const directory = typeOf(mode) === fileTypes.directory;
  if (has(CAP_DAC_OVERRIDE)) return true;
  if (has(CAP_DAC_READ_SEARCH) && (wanted & WRITE) === 0 && (directory || wanted === READ)) {
    return true;
  }
  const isGroup = gid === status.gid.fs || groups.includes(gid);
  const shift = uid === status.uid.fs ? 6 : isGroup ? 3 : 0;
  return ((mode >> shift) & wanted) === wanted;
}

/**
 * True where the task could open the file itself, as a restart does in its place: one that it got
 * before it dropped privileges it could not. Modes are looked at, access control lists are not.
 */
export function opensItself(
  scope: CheckpointScope,
  name: string,
  stat: FileStat,
  flags: number,
): boolean {
  const { frozen, task } = scope;
  const status = parseStatus(required(frozen, task, 'status'));
  const parts = name.split('/').slice(1, -1);
  for (let count = 0; count <= parts.length; count++) {
    const folder = frozen.stat(task, `root/${parts.slice(0, count).join('/')}`);
    if (folder !== undefined && !allows(folder, status, SEARCH)) return false;
  }
  const directory = typeOf(stat.mode) === fileTypes.directory;
  const content = (flags & pathFlags.WRITTEN) !== 0 ? WRITE : READ;
  return allows(stat, status, directory ? SEARCH : content);
}

import type { CheckpointScope, FileStat, Frozen } from '@ckpt/engine';
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

const has = ({ capabilities }: Status, bit: bigint): boolean =>
  ((capabilities.effective >> bit) & 1n) === 1n;

/** True for credentials that no mode keeps out. */
const overrides = (status: Status): boolean => has(status, CAP_DAC_OVERRIDE);

/** True where the mode of a file lets these credentials do all that is wanted. Lists are not seen. */
function allows({ mode, uid, gid }: FileStat, status: Status, wanted: number): boolean {
  const { groups } = status;
  const directory = typeOf(mode) === fileTypes.directory;
  const reads = directory ? (wanted & WRITE) === 0 : wanted === READ;
  if (reads && has(status, CAP_DAC_READ_SEARCH)) return true;
  const isGroup = gid === status.gid.fs || groups.includes(gid);
  const shift = uid === status.uid.fs ? 6 : isGroup ? 3 : 0;
  return ((mode >> shift) & wanted) === wanted;
}

/** What was found out about a frozen process: files share folders, and all the credentials. */
interface Known {
  readonly status: Status;
  /** By path: may it be passed through? */
  readonly folders: Map<string, boolean>;
}

const known = new WeakMap<Frozen, Known>();

function knownOf({ frozen, task }: CheckpointScope): Known {
  const found = known.get(frozen);
  if (found !== undefined) return found;
  const status = parseStatus(required(frozen, task, 'status'));
  const made = { status, folders: new Map<string, boolean>() };
  known.set(frozen, made);
  return made;
}

/** True where all folders on the way may be passed through. */
function reaches(scope: CheckpointScope, { status, folders }: Known, name: string): boolean {
  const folder = name.slice(0, name.lastIndexOf('/'));
  const before = folders.get(folder);
  if (before !== undefined) return before;
  const stat = scope.frozen.stat(scope.task, `root${folder}/`);
  const passes = stat === undefined || allows(stat, status, SEARCH);
  const all = passes && (folder === '' || reaches(scope, { status, folders }, folder));
  folders.set(folder, all);
  return all;
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
  const found = knownOf(scope);
  if (overrides(found.status)) return true;
  const directory = typeOf(stat.mode) === fileTypes.directory;
  const content = (flags & pathFlags.WRITTEN) !== 0 ? WRITE : READ;
  const wanted = directory ? SEARCH : content;
  return allows(stat, found.status, wanted) && reaches(scope, found, name);
}

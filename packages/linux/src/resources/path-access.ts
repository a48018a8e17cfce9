import type { CheckpointScope, FileStat, Frozen } from '@ckpt/engine';
import { parseStatus, type Status } from '../procfs/status.ts';
import { required } from './facts.ts';
import { O_ACCMODE, O_PATH } from './descriptor-flags.ts';
import { fileTypes, typeOf } from './path-type.ts';

/** capabilities(7) */
const CAP_DAC_OVERRIDE = 1n;
const CAP_DAC_READ_SEARCH = 2n;

/** Permission bits of one class (inode(7)). */
export const access = { READ: 4, WRITE: 2, SEARCH: 1 } as const;
const { READ, WRITE, SEARCH } = access;

/** What it takes to open a file with these flags of open(2). */
export function accessOf(flags: number): number {
  if ((flags & O_PATH) !== 0) return 0;
  return [READ, WRITE, READ | WRITE][flags & O_ACCMODE] ?? READ | WRITE;
}

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
  /** Names that were told to need trust. */
  readonly told: Set<string>;
}

const knownByFrozen = new WeakMap<Frozen, Known>();

function knownOf({ frozen, task }: CheckpointScope): Known {
  const found = knownByFrozen.get(frozen);
  if (found !== undefined) return found;
  const status = parseStatus(required(frozen, task, 'status'));
  const made: Known = { status, folders: new Map(), told: new Set() };
  knownByFrozen.set(frozen, made);
  return made;
}

/** True where all folders on the way may be passed through. */
function reaches(scope: CheckpointScope, known: Known, name: string): boolean {
  const folder = name.slice(0, name.lastIndexOf('/'));
  const before = known.folders.get(folder);
  if (before !== undefined) return before;
  const stat = scope.frozen.stat(scope.task, `root${folder}/`);
  const passes = stat === undefined || allows(stat, known.status, SEARCH);
  const all = passes && (folder === '' || reaches(scope, known, folder));
  known.folders.set(folder, all);
  return all;
}

/**
 * True for a file that the task could not open itself, as a restart does in its place: it got it
 * before it dropped privileges. This is said, once. Modes are looked at, access control lists are
 * not.
 *
 * @param wanted bits of {@link access}
 */
export function needsTrust(
  scope: CheckpointScope,
  name: string,
  stat: FileStat,
  wanted: number,
): boolean {
  const found = knownOf(scope);
  if (overrides(found.status)) return false;
  if (allows(stat, found.status, wanted) && reaches(scope, found, name)) return false;
  if (!found.told.has(name)) {
    found.told.add(name);
    scope.note(
      `${name} was opened with rights that the process no longer has: ` +
        'a restart needs --trust-image',
    );
  }
  return true;
}

import type { CheckpointScope, FileStat, Resource } from '@ckpt/engine';
import { buildIdMax, CKPT_HDR_FILE_NAME, CkptError, FileRun, Path, pathFlags } from '@ckpt/format';
import { encodeText } from '@ckpt/io';
import { buildIdOf, type ReadAt } from '../procfs/build-id.ts';
import { isMangled } from '../procfs/text.ts';
import { access, needsTrust } from './path-access.ts';
import { storeContent, type FileRange } from './path-content.ts';
import { checkPath, usesCopy } from './path-check.ts';
import { noteUnused } from './path-map.ts';
import { fileTypes, typeOf } from './path-type.ts';
import { pathsLeftOut } from './redirect.ts';

/** A file of the frozen task, and how it was found. */
export interface PathFacts {
  /** What is said of it in a refusal: "descriptor 5: /tmp/log". */
  readonly thing: string;
  /** Name as the kernel tells it, perhaps with " (deleted)". */
  readonly name: string;
  readonly stat: FileStat;
  /** Bits of {@link pathFlags}, beside DELETED. */
  readonly flags: number;
  /** Bits of {@link access}; absent: what its flags and its type take. */
  readonly wanted?: number;
  /** Path under /proc/PID whose content is stored when the file has no name any more. */
  readonly contents?: string;
  /** What of a CARRIED file is wanted; all unless told. */
  readonly parts?: readonly FileRange[];
}

const deletedMark = ' (deleted)';
/** MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB: comes back as a memfd, which it is but for its name. */
const sharedHuge = '/anon_hugepage (deleted)';
/** memfd_create(2): what the kernel shows instead of a path. */
export const memfdMark = '/memfd:';

/** What keeps a file from being found again by its name, and what to do about it. */
function obstacle(
  { frozen, task }: CheckpointScope,
  facts: PathFacts,
  there: FileStat | undefined,
): readonly [reason: string, remedy: string] | undefined {
  if (!facts.name.startsWith('/')) {
    return ['it has no path in this mount namespace', 'close it, or mount its file system again'];
  }
  if (isMangled(facts.name)) {
    return ['its name is no UTF-8', 'rename the file'];
  }
  if (facts.name === `/proc/${task.pid}` || facts.name.startsWith(`/proc/${task.pid}/`)) {
    return [
      'it tells of this very process, and goes when that goes',
      'close it (/proc/self) before',
    ];
  }
  if (there?.dev === facts.stat.dev && there.ino === facts.stat.ino) {
    return undefined;
  }
  // Names mean nothing behind a root of its own, and that is refused as a whole (task).
  if ((frozen.link(task, 'root') ?? '/') !== '/') return undefined;
  if (!facts.name.endsWith(deletedMark) && facts.stat.nlink > 0) {
    return there === undefined
      ? ['no file has this name now', 'put the file back under this name']
      : ['another file has this name now', 'start the program anew with the new file'];
  }
  if (facts.stat.nlink > 0) {
    return ['this name was deleted, and the file has another one', 'link it back to this name'];
  }
  if (facts.contents === undefined || typeOf(facts.stat.mode) !== fileTypes.regular) {
    const kind = typeOf(facts.stat.mode) === fileTypes.directory ? 'directory' : 'file';
    return ['it was deleted', `start the program anew with a ${kind} that stays`];
  }
  return undefined;
}

/** What it takes to map a file, or to go into a directory. */
function wantedOf({ wanted, stat, flags }: PathFacts): number {
  if (wanted !== undefined) return wanted;
  if (typeOf(stat.mode) === fileTypes.directory) return access.SEARCH;
  return access.READ | ((flags & pathFlags.WRITTEN) === 0 ? 0 : access.WRITE);
}

/** What has no name is one object, however it is used. */
function flagsOf({ stat, flags, name }: PathFacts): number {
  if (stat.nlink > 0) return flags;
  const isMemfd = name === sharedHuge || (name.startsWith(memfdMark) && name.endsWith(deletedMark));
  // Of one that has no name, all is in the store anyway.
  return pathFlags.DELETED | (isMemfd ? pathFlags.MEMFD : 0);
}

/** What tells a program or library from another build of it. */
function buildIdFields(
  { frozen, task }: CheckpointScope,
  { name, stat, flags }: PathFacts,
): Pick<Path, 'build_id_size' | 'build_id'> {
  const isMapped = (flags & pathFlags.MAPPED) !== 0 && stat.nlink > 0;
  const isFile = typeOf(stat.mode) === fileTypes.regular;
  const read: ReadAt = (offset, length) => frozen.contents(task, `root${name}`, offset, length);
  const id = isMapped && isFile ? knownBuildId(read) : undefined;
  return {
    build_id_size: Math.min(id?.length ?? 0, buildIdMax),
    build_id: id?.subarray(0, buildIdMax) ?? new Uint8Array(0),
  };
}

/** What cannot be read has none. */
function knownBuildId(read: ReadAt): Uint8Array | undefined {
  try {
    return buildIdOf(read);
  } catch (error) {
    if (error instanceof CkptError) return undefined;
    throw error;
  }
}

function keyOf(facts: PathFacts): string {
  const { stat, name } = facts;
  const key = `${stat.dev.toString()}:${stat.ino.toString()}`;
  return stat.nlink === 0 ? key : `${key}:${flagsOf(facts)}:${name}`;
}

/** A file that is known by its path. */
export interface CheckpointedPath {
  readonly objref: number;
  /** Only the invoker of the checkpoint could open it. */
  readonly trusted: boolean;
}

/**
 * A file that is known by its path, emitted once for each use of it (mapped, written ...).
 *
 * Image: {@link Path}, then its name. The content of a deleted regular file goes to the store.
 * @returns undefined when it was refused.
 */
export function checkpointPath(
  scope: CheckpointScope,
  facts: PathFacts,
): CheckpointedPath | undefined {
  const { frozen, task } = scope;
  const { stat } = facts;
  const there = facts.name.startsWith('/') ? frozen.stat(task, `root${facts.name}`) : undefined;
  const reasons = obstacle(scope, facts, there);
  if (reasons !== undefined) {
    scope.refuse({ thing: facts.thing, reason: reasons[0], remedy: reasons[1] });
    return undefined;
  }
  const deleted = stat.nlink === 0;
  const key = keyOf(facts);
  const { objref, isNew } = scope.objhash.of('path', key);
  const trusted = !deleted && needsTrust(scope, facts.name, stat, wantedOf(facts));
  if (!isNew) return { objref, trusted };
  const isCarried = (facts.flags & pathFlags.CARRIED) !== 0;
  const content =
    (deleted || isCarried) && facts.contents !== undefined
      ? storeContent(scope, facts.contents, stat.size, facts.parts)
      : { index: 0n, pages: 0n, runs: [], seals: undefined, hugePage: undefined };
  const isHuge = deleted && content.hugePage !== undefined;
  scope.emit(Path, {
    objref,
    flags: flagsOf(facts) | (isHuge ? pathFlags.HUGETLB : 0),
    mode: stat.mode,
    nlink: stat.nlink,
    device: stat.dev,
    inode: stat.ino,
    rdev: stat.rdev,
    size: stat.size,
    mtime: stat.mtime,
    uid: stat.uid,
    gid: stat.gid,
    index: content.index,
    pages: content.pages,
    runs: content.runs.length,
    seals: content.seals ?? 0,
    ...buildIdFields(scope, facts),
    page_shift: isHuge ? Math.log2(content.hugePage) : 0,
    _pad: 0,
  });
  const name =
    deleted && facts.name === sharedHuge
      ? `${memfdMark}anon_hugepage`
      : facts.name.endsWith(deletedMark) && deleted
        ? facts.name.slice(0, -deletedMark.length)
        : facts.name;
  scope.emitBytes(CKPT_HDR_FILE_NAME, encodeText(name));
  if (content.runs.length > 0) scope.emitArray(FileRun, content.runs);
  return { objref, trusted };
}

/**
 * The file behind a link of /proc/PID (exe, cwd, fd/3), as {@link checkpointPath}.
 * @returns its objref; undefined when it was refused.
 */
export function checkpointLink(
  scope: CheckpointScope,
  thing: string,
  link: string,
  flags: number,
): number | undefined {
  const name = scope.frozen.link(scope.task, link);
  const stat = scope.frozen.stat(scope.task, link);
  if (name === undefined || stat === undefined) {
    scope.refuse({
      thing,
      reason: 'its file cannot be looked at',
      remedy: 'checkpoint as root, or as the user who runs the process',
    });
    return undefined;
  }
  const facts = { thing: `${thing}: ${name}`, name, stat, flags, contents: link };
  return checkpointPath(scope, facts)?.objref;
}

/**
 * Files by their paths: looked at before anything is made, so that a file which is gone or changed
 * is one clear error. Whoever uses them emits them ({@link checkpointPath}) and opens them.
 */
export const path: Resource = {
  kind: 'path',
  records: [Path, { type: CKPT_HDR_FILE_NAME }],
  checkpoint() {
    // Emitted by those who refer to them.
  },
  restore(scope) {
    const records = scope.document.all(Path);
    const leftOut = pathsLeftOut(scope);
    for (const record of records) {
      if (leftOut.has(record.value.objref)) continue;
      if ((record.value.flags & pathFlags.DELETED) !== 0) continue;
      if (!usesCopy(scope, record)) checkPath(scope, record);
    }
    noteUnused(scope, records);
  },
};

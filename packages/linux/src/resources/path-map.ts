import type { ImageRecord, RestoreScope } from '@ckpt/engine';
import { CkptError, type Path } from '@ckpt/format';
import { nameOf } from './path-name.ts';

/** What was at or under `from` is at or under `to` now; both are absolute, without a final slash. */
interface Moved {
  readonly from: string;
  readonly to: string;
}

/** "/a/b" of "/a/b/" and "/a//b"; empty for the root. */
const trimmed = (path: string): string => path.replaceAll(/\/+/g, '/').replace(/\/$/, '');

const isPair = (value: unknown): value is readonly [string, string] =>
  Array.isArray(value) &&
  value.length === 2 &&
  value.every((path) => typeof path === 'string' && path.startsWith('/'));

/**
 * Files that moved, from the option `mapPath`: pairs [old, new] of absolute paths.
 * @throws CkptError EINVAL for anything else.
 */
function movedOf({ options }: RestoreScope): readonly Moved[] {
  const { mapPath = [] } = options;
  if (!Array.isArray(mapPath) || !mapPath.every(isPair)) {
    throw new CkptError('EINVAL', 'the option mapPath is no list of pairs of absolute paths');
  }
  return mapPath.map(([from, to]) => ({ from: trimmed(from), to: trimmed(to) }));
}

const isUnder = (name: string, { from }: Moved): boolean =>
  name === from || name.startsWith(`${from}/`);

/** Of several that fit, the longest is meant. */
function fitting(name: string, moved: readonly Moved[]): Moved | undefined {
  const [best] = moved
    .filter((each) => isUnder(name, each))
    .sort((a, b) => b.from.length - a.from.length);
  return best;
}

/** Where a PATH is on this machine, and whether that is somewhere else than at the checkpoint. */
export interface Place {
  readonly name: string;
  readonly moved: boolean;
}

/**
 * Whole components of names are replaced: "/srv=/data" moves "/srv/x" and not "/srv2".
 * @throws CkptError EINVAL for a name that no kernel would have told.
 */
export function placeOf(scope: RestoreScope, record: ImageRecord<Path>): Place {
  const name = nameOf(record);
  const found = fitting(name, movedOf(scope));
  if (found === undefined) return { name, moved: false };
  const now = `${found.to}${name.slice(found.from.length)}`;
  return { name: now === '' ? '/' : now, moved: true };
}

/** Says which of the moves no file of the image has made use of: somebody mistyped a path. */
export function noteUnused(scope: RestoreScope, records: readonly ImageRecord<Path>[]): void {
  const moved = movedOf(scope);
  if (moved.length === 0) return;
  const used = new Set(records.map((record) => fitting(nameOf(record), moved)));
  for (const each of moved) {
    if (used.has(each)) continue;
    scope.note(`nothing in the image is at or under ${each.from || '/'}, which was said to move`);
  }
}

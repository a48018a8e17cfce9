import type { CheckpointScope, ImageRecord, RestoreScope } from '@ckpt/engine';
import { fileKinds, Inotify, InotifyWatch, Path, pathFlags } from '@ckpt/format';
import { cString } from '../procfs/text.ts';
import type { Description, DescriptorKind, Restoring } from './descriptor.ts';
import { refuse, thingOf } from './descriptor.ts';
import { setStatus } from './descriptor-flags.ts';
import { findWatched, maskBits, parseWatched } from './inotify-facts.ts';
import { access } from './path-access.ts';
import { close, reachPath } from './path-open.ts';
import { checkpointPath } from './path.ts';
import { fileTypes, typeOf } from './path-type.ts';

/** ioctl(2): bytes of the events that nobody has read. */
const FIONREAD = 0x541b;
const IN_DELETE_SELF = 0x400;
/** Events of a watch that goes have no name (inotify(7)). */
const eventSize = 16;
/** Watches that are made and removed before what they told of is taken away. */
const batch = 256;
/** Watch descriptors up to here are counted up to. */
const wdMax = 1 << 16;
/** Something that everybody may watch, and that is always there. */
const bystanders = ['/', '/proc', '/dev', '/usr', '/tmp'];

/** Events on their way, bytes; they cannot be put there again. */
function unread(scope: CheckpointScope, { fd }: Description): number {
  const call = { call: 'ioctl', args: [-1000, FIONREAD, { out: 4 }] } as const;
  const [bytes] = scope.frozen.probe(scope.task, fd, [call])[0]?.out ?? [];
  return bytes === undefined ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, true);
}

/** A watch with the PATH that it is of; undefined when it was refused. */
function watchOf(
  scope: CheckpointScope,
  description: Description,
  line: string,
): { readonly watch: InotifyWatch; readonly trusted: boolean } | undefined {
  const watched = parseWatched(line);
  const found = watched && findWatched(scope, watched);
  if (watched === undefined || found === undefined || watched.wd > wdMax) {
    const { device = '?', inode = 0n, wd = 0 } = watched ?? {};
    refuse(scope, description, {
      detail: `which watches inode ${inode} of device ${device}`,
      reason:
        wd > wdMax
          ? `it is watch ${wd}, and one after the other would have to be made (at most ${wdMax})`
          : 'no name of it can be found from here',
      remedy:
        'stop watching it before the checkpoint (inotify_rm_watch(2)), or restart the program',
    });
    return;
  }
  const { name, stat } = found;
  const path = checkpointPath(scope, {
    thing: `${thingOf(description)}, which watches ${name}`,
    name,
    stat,
    // What is watched is there to be changed.
    flags: typeOf(stat.mode) === fileTypes.regular ? pathFlags.WRITTEN : 0,
    wanted: access.READ,
  });
  if (path === undefined) return undefined;
  const { wd, mask } = watched;
  return { watch: { wd, mask, path: path.objref, _pad: 0 }, trusted: path.trusted };
}

/** Uses watch descriptors up, so that the next watch gets the wanted one (inotify_user.c: cyclic). */
function skip(
  scope: RestoreScope,
  record: ImageRecord<Inotify>,
  fd: number,
  from: number,
  to: number,
  bystander: string,
): void {
  const what = `count watch descriptors up to ${to}`;
  const path = { blob: cString(bystander) };
  for (let start = from; start < to; start += batch) {
    const end = Math.min(start + batch, to);
    for (let wd = start; wd < end; wd++) {
      const args = [fd, path, IN_DELETE_SELF];
      scope.call('settle', record, 'inotify_add_watch', args, { expect: wd, what });
      scope.call('settle', record, 'inotify_rm_watch', [fd, wd], { what });
    }
    const size = eventSize * (end - start);
    const room = { room: scope.fresh('events'), size };
    scope.call('settle', record, 'read', [fd, room, size], { expect: size, what });
  }
}

/** Watches with their PATHs. @throws CkptError EINVAL for a list that cannot be. */
function watchesOf(
  { document }: RestoreScope,
  record: ImageRecord<Inotify>,
): readonly (readonly [InotifyWatch, ImageRecord<Path>])[] {
  const watches = record.arrayOf(InotifyWatch);
  if (watches.length !== record.value.count) {
    throw record.invalid(
      'count',
      `${watches.length} watches where ${record.value.count} were said`,
    );
  }
  let before = 0;
  return watches.map((watch) => {
    const { wd, mask, path } = watch;
    if (wd <= before || wd > wdMax) throw record.invalid('wd', `watch ${wd} after watch ${before}`);
    const unknown = BigInt(mask) & ~BigInt(maskBits);
    if (mask === 0 || unknown !== 0n) throw record.invalid('mask', `mask ${mask.toString(16)}`);
    before = wd;
    return [watch, document.object(path, Path, record)];
  });
}

/** A path whose file none of them is. */
function bystanderOf(scope: RestoreScope, paths: readonly ImageRecord<Path>[]): string {
  const isWatched = (name: string): boolean => {
    const stat = scope.stat(name);
    return paths.some(({ value }) => value.device === stat?.dev && value.inode === stat.ino);
  };
  return bystanders.find((name) => scope.stat(name) !== undefined && !isWatched(name)) ?? '/';
}

function watchAll({ scope, fdOf }: Restoring, file: Parameters<Restoring['fdOf']>[0]): void {
  const record = scope.document.object(file.value.object, Inotify, file);
  const fd = fdOf(file) ?? -1;
  const watches = watchesOf(scope, record);
  const bystander = bystanderOf(
    scope,
    watches.map(([, path]) => path),
  );
  let next = 1;
  for (const [{ wd, mask }, path] of watches) {
    skip(scope, record, fd, next, wd, bystander);
    const number = reachPath(scope, 'settle', record, path);
    const again = { blob: cString(`/proc/self/fd/${number}`) };
    scope.call('settle', record, 'inotify_add_watch', [fd, again, mask], {
      expect: wd,
      what: 'watch a file (fs.inotify.max_user_watches)',
    });
    close(scope, 'settle', record, number);
    next = wd + 1;
  }
}

/**
 * A watch list of inotify(7). What is watched is found by its handle (CAP_DAC_READ_SEARCH), and
 * watched again when all descriptors are there, under the same watch descriptors.
 *
 * Image: the PATHs, {@link Inotify}, its {@link InotifyWatch}. Not saved: what happens to the files
 * while the process is away, and which number a removed last watch had.
 */
export const inotify: DescriptorKind = {
  name: 'inotify',
  kind: fileKinds.inotify,
  records: [Inotify],

  claims: (_scope, { link }) => link === 'anon_inode:inotify' || link === 'inotify',

  checkpoint(scope, description) {
    const bytes = unread(scope, description);
    if (bytes > 0) {
      refuse(scope, description, {
        reason: `${bytes} bytes of events are there that it has not read yet`,
        remedy: 'checkpoint again in a moment',
      });
      return;
    }
    const lines = description.info.lines.filter((line) => line.startsWith('inotify '));
    const watches = lines.map((line) => watchOf(scope, description, line));
    const found = watches.filter((watch) => watch !== undefined);
    if (found.length < watches.length) return undefined;
    const { objref } = scope.objhash.of('inotify', `${scope.task.pid}:${description.fd}`);
    scope.emit(Inotify, { objref, count: found.length });
    const sorted = found.map(({ watch }) => watch).sort((a, b) => a.wd - b.wd);
    scope.emitArray(InotifyWatch, sorted);
    return { object: objref, trusted: found.some(({ trusted }) => trusted) };
  },

  restore({ scope, place }, files) {
    for (const file of files) {
      const record = scope.document.object(file.value.object, Inotify, file);
      const fd = scope.call('descriptors', record, 'inotify_init1', [0], {
        what: 'a watch list (fs.inotify.max_user_instances)',
      });
      setStatus(scope, file, fd);
      place(file, fd);
    }
  },

  settle(restoring, files) {
    for (const file of files) watchAll(restoring, file);
  },
};

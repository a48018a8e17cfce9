import type { CheckpointScope, ImageRecord, RestoreScope } from '@ckpt/engine';
import { CKPT_HDR_BUFFER, CKPT_HDR_FILE_NAME, fileKinds, Tty } from '@ckpt/format';
import { encodeText } from '@ckpt/io';
import { parseStat } from '../procfs/stat.ts';
import { cString } from '../procfs/text.ts';
import type { Description, DescriptorKind, Table } from './descriptor.ts';
import { refuse, statOf } from './descriptor.ts';
import { O_NOCTTY, O_PATH } from './descriptor-flags.ts';
import { required } from './facts.ts';
import { AT_FDCWD, O_CLOEXEC } from './path-open.ts';
import { jobFlags, restoreJob } from './tty-job.ts';
import { fileTypes, typeOf } from './path-type.ts';

/** ioctl_tty(2) */
const TCGETS = 0x5401;
const TCSETS = 0x5402;
/** Bytes of the kernel's struct termios (asm-generic/termbits.h). */
const termiosSize = 36;

/** Device numbers (Documentation/admin-guide/devices.txt): /dev/tty, and /dev/pts/N by major. */
const ttyDevice = 0x500n;
const majorOf = (rdev: bigint): number => Number((rdev >> 8n) & 0xfffn);
const ptsMajors = { first: 136, last: 143 };
/** Virtual consoles and serial lines, /dev/tty and /dev/console. */
const otherMajors = [4, 5];
const masters: readonly bigint[] = [0x502n];

function isTerminal(rdev: bigint): boolean {
  const major = majorOf(rdev);
  if (masters.includes(rdev)) return false;
  return (major >= ptsMajors.first && major <= ptsMajors.last) || otherMajors.includes(major);
}

/** Settings of the terminal, when they are the task's own: it is in the foreground of its session. */
function settingsOf(
  scope: CheckpointScope,
  { fd }: Description,
  inForeground: boolean,
): Uint8Array | undefined {
  if (!inForeground) return undefined;
  const call = { call: 'ioctl', args: [-1000, TCGETS, { out: termiosSize }] } as const;
  const [answer] = scope.frozen.probe(scope.task, fd, [call]);
  return answer?.result === 0n ? answer.out[0] : undefined;
}

/** True when the task has a controlling terminal, or a descriptor of another one. */
function hasAnother(
  scope: CheckpointScope,
  { link }: Description,
  controlling: number,
  { descriptions }: Table,
): boolean {
  if (controlling !== 0) return true;
  return descriptions.some((other) => other.link !== link && tty.claims(scope, other));
}

/** Path of the terminal that the restart has, in its options under `tty`. */
function ownTerminal(scope: RestoreScope, record: ImageRecord<Tty>): string {
  const { tty: path } = scope.options;
  if (typeof path === 'string' && path.startsWith('/')) return path;
  throw record.invalid(
    'objref',
    'the program was started from a terminal, and this restart has none: restart it from a ' +
      'terminal, or start it with files from the outset: COMMAND > out.log 2>&1 < /dev/null',
    'ENOTTY',
  );
}

/**
 * The terminal that a task was started from; after a restart it is the one of the invoker.
 *
 * Image: {@link Tty}, its path, and its settings if the task was in the foreground: those that
 * somebody else made (a shell at its prompt) are nothing to bring back. Not saved: what was typed
 * and not read.
 */
export const tty: DescriptorKind = {
  name: 'tty',
  kind: fileKinds.tty,
  records: [Tty],

  claims(scope, description) {
    if (!description.link.startsWith('/dev/') || (description.info.flags & O_PATH) !== 0) {
      return false;
    }
    const stat = statOf(scope, description);
    const isDevice = stat !== undefined && typeOf(stat.mode) === fileTypes.character;
    return isDevice && isTerminal(stat.rdev);
  },

  checkpoint(scope, description, table) {
    const rdev = statOf(scope, description)?.rdev ?? 0n;
    const stat = parseStat(required(scope.frozen, scope.task, 'stat'));
    const controlling = rdev === ttyDevice || (stat.tty !== 0 && BigInt(stat.tty) === rdev);
    if (!controlling && hasAnother(scope, description, stat.tty, table)) {
      refuse(scope, description, {
        reason: 'it is a second terminal; a restart has one',
        remedy: 'close it, or start the program from that terminal',
      });
      return;
    }
    const { objref, isNew } = scope.objhash.of('tty', description.link);
    if (!isNew) return { object: objref };
    const settings = settingsOf(scope, description, stat.foreground === stat.pgid);
    scope.emit(Tty, { objref, flags: controlling ? jobFlags(stat) : 0, rdev });
    scope.emitBytes(CKPT_HDR_FILE_NAME, encodeText(description.link));
    if (settings !== undefined) scope.emitBytes(CKPT_HDR_BUFFER, settings);
    return { object: objref };
  },

  restore({ scope, place, fdOf }, files) {
    const [first] = files;
    if (first === undefined) return;
    const record = scope.document.object(first.value.object, Tty, first);
    const path = ownTerminal(scope, record);
    // Behind somebody's back nothing is changed about a terminal.
    const inForeground = scope.options.foreground !== false;
    const settings =
      inForeground && record.following.some(({ type }) => type === CKPT_HDR_BUFFER)
        ? record.bytesOf(CKPT_HDR_BUFFER)
        : undefined;
    if (settings !== undefined && settings.length !== termiosSize) {
      throw record.invalid('settings', `${settings.length} bytes of settings`);
    }
    for (const file of files) {
      const flags = (file.value.flags | O_NOCTTY) & ~O_CLOEXEC;
      const fd = scope.call(
        'descriptors',
        file,
        'openat',
        [AT_FDCWD, { blob: cString(path) }, flags],
        {
          what: `open the terminal ${path}`,
        },
      );
      if (file === first && settings !== undefined) {
        scope.call('descriptors', record, 'ioctl', [fd, TCSETS, { blob: settings }], {
          failure: 'warn',
          what: `settings of the terminal ${path}`,
        });
      }
      place(file, fd);
    }
    restoreJob(scope, record, fdOf(first) ?? -1);
  },
};

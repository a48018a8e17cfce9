import type { CheckpointScope, Holding, ImageRecord, RestoreScope } from '@ckpt/engine';
import { fileKinds, Identity, Inherited, Holding as HoldingRecord } from '@ckpt/format';
import type { File } from '@ckpt/format';
import { encodeText } from '@ckpt/io';
import { cString } from '../procfs/text.ts';
import type { Description, DescriptorKind, Restoring } from './descriptor.ts';
import { refuse, statOf, thingOf } from './descriptor.ts';
import {
  F_SETFL,
  O_ACCMODE,
  O_DIRECT,
  O_NONBLOCK,
  O_PATH,
  O_RDWR,
  O_WRONLY,
} from './descriptor-flags.ts';
import { fifo } from './fifo.ts';
import { AT_FDCWD, O_CLOEXEC, sameFile } from './path-open.ts';
import { endOf } from './pipe-ring.ts';

/** How many descriptors of others are noted. */
const holdingsMax = 16;
/** TASK_COMM_LEN */
const commSize = 16;

const whoOf = (holdings: readonly Holding[]): string =>
  [...new Set(holdings.map(({ pid, name }) => `${pid} (${name})`))].slice(0, 3).join(', ');

const isReader = (flags: number): boolean => (flags & O_ACCMODE) !== O_WRONLY;
const isWriter = (flags: number): boolean => (flags & O_ACCMODE) !== 0;

/** What those at the other side see when the process ends; undefined when they do not notice. */
function endOfIt(description: Description, all: readonly Holding[]): string | undefined {
  const { flags } = description.info;
  const lone = (is: (flags: number) => boolean): boolean =>
    is(flags) && !all.some((each) => is(each.flags));
  if (lone(isWriter) && all.some((each) => isReader(each.flags))) return 'reads an end of file';
  return lone(isReader) ? 'gets SIGPIPE when it writes' : undefined;
}

function tell(scope: CheckpointScope, description: Description, all: readonly Holding[]): void {
  const { fd } = description;
  const { pid } = scope.task;
  scope.note(
    `${thingOf(description)} leads to ${whoOf(all)}: a restart joins it again while that lives, ` +
      `and is refused otherwise unless told what to use instead: ckpt restart --fd ${fd}=PATH`,
  );
  const end = endOfIt(description, all);
  if (end === undefined) return;
  scope.note(
    `once process ${pid} ends, ${whoOf(all)} ${end}; to keep it from that until the restart, ` +
      `first hold the pipe in a shell: exec 9<>/proc/${pid}/fd/${fd}`,
  );
}

/** A name as the record has it, with a NUL at least. */
function commBytes(name: string): Uint8Array {
  const bytes = new Uint8Array(commSize);
  bytes.set(encodeText(name).subarray(0, commSize - 1));
  return bytes;
}

type InheritedRecord = ImageRecord<Inherited>;

const noun = ({ value }: ImageRecord<File>): string =>
  (value.flags & O_ACCMODE) === 0 ? 'input' : 'output';

/** Where a pipe can be joined now: a descriptor of one who held it then, and has not ended since. */
function findHolding(scope: RestoreScope, record: InheritedRecord): HoldingRecord | undefined {
  const { device, inode } = record.value;
  const { boot_id: boot } = scope.document.one(Identity).value;
  if (!boot.every((byte, index) => byte === scope.system.bootId[index])) return undefined;
  return record.arrayOf(HoldingRecord).find(({ pid, fd, start_time: start }) => {
    if (pid <= 0 || fd < 0 || scope.startTime(pid) !== start) return false;
    const stat = scope.stat(`/proc/${pid}/fd/${fd}`);
    return stat?.dev === device && stat.ino === inode;
  });
}

const nameIn = (comm: Uint8Array): string =>
  String.fromCharCode(...comm.subarray(0, Math.max(0, comm.indexOf(0))));

/** @throws CkptError ENXIO: nobody has it any more. */
function holdingOf(
  { scope, fdOf }: Restoring,
  record: InheritedRecord,
  file: ImageRecord<File>,
): HoldingRecord {
  const found = findHolding(scope, record);
  if (found !== undefined) return found;
  const all = record.arrayOf(HoldingRecord);
  const who = [...new Set(all.map(({ pid, comm }) => `${pid} (${nameIn(comm)})`))].slice(0, 3);
  const fd = fdOf(file) ?? 0;
  throw record.invalid(
    'inode',
    `descriptor ${fd} led to pipe ${record.value.inode.toString()} of ${who.join(', ')}, which ` +
      `is gone: say what its ${noun(file)} is to be: --fd ${fd}=PATH, or --fd ${fd}=N for ` +
      `descriptor N of ckpt`,
    'ENXIO',
  );
}

/** Plans to open one end of what is at `number`, a descriptor that only names it (O_PATH). */
function openEnd({ scope, place }: Restoring, file: ImageRecord<File>, number: number): void {
  const again = { blob: cString(`/proc/self/fd/${number}`) };
  const { flags } = file.value;
  // A FIFO without another end would have the opener wait; packet mode cannot be asked for here.
  const asked = (flags & ~(O_CLOEXEC | O_DIRECT)) | O_NONBLOCK;
  const fd = scope.call('descriptors', file, 'openat', [AT_FDCWD, again, asked], {
    what: 'join a pipe with the rights of the process',
  });
  if (asked !== flags) scope.call('descriptors', file, 'fcntl', [fd, F_SETFL, flags]);
  place(file, fd);
}

/**
 * A pipe or FIFO that others hold, too: standard output led to `tee`. What is in it stays there
 * while they live; a restart opens it again through their /proc/PID/fd, or is refused. The
 * setting `joinPipes: false` has it refused: with `--kill` those at the other side may see its end.
 *
 * Image: {@link Inherited}, its {@link HoldingRecord}. Not saved: what is in it, its size.
 */
export const inherited: DescriptorKind = {
  name: 'inherited',
  kind: fileKinds.inherited,
  records: [Inherited],

  claims(scope, description) {
    if (scope.options.joinPipes === false) return false;
    const { link, info } = description;
    const isPipe = link.startsWith('pipe:[') || fifo.claims(scope, description);
    if (!isPipe || (info.flags & O_PATH) !== 0) return false;
    return (scope.frozen.holdings?.(scope.task, link) ?? []).length > 0;
  },

  checkpoint(scope, description) {
    const stat = statOf(scope, description);
    if (stat === undefined) {
      refuse(scope, description, {
        reason: 'it cannot be looked at',
        remedy: 'checkpoint as root, or as the user who runs the process',
      });
      return;
    }
    const end = endOf(description);
    const { objref, isNew } = scope.objhash.of('inherited', description.link);
    if (!isNew) return { object: objref, end };
    const all = scope.frozen.holdings?.(scope.task, description.link) ?? [];
    tell(scope, description, all);
    // The far side lives longest: a shell has often only started both.
    const opposite = ({ flags }: Holding): number =>
      (flags & O_ACCMODE) === (description.info.flags & O_ACCMODE) ? 1 : 0;
    const noted = [...all].sort((a, b) => opposite(a) - opposite(b)).slice(0, holdingsMax);
    scope.emit(Inherited, { objref, count: noted.length, device: stat.dev, inode: stat.ino });
    scope.emitArray(
      HoldingRecord,
      noted.map(({ pid, fd, startTime, flags, name }) => ({
        ...{ pid, fd, start_time: startTime, flags, _pad: 0 },
        comm: commBytes(name),
      })),
    );
    return { object: objref, end };
  },

  restore(restoring, files) {
    const { scope, scratch } = restoring;
    const [first] = files;
    if (first === undefined) return;
    const record = scope.document.object(first.value.object, Inherited, first);
    const { pid, fd, comm } = holdingOf(restoring, record, first);
    const number = scratch(1);
    const path = { blob: cString(`/proc/${pid}/fd/${fd}`) };
    const what = `join the pipe of ${pid} (${nameIn(comm)})`;
    const found = scope.call(
      'descriptors',
      record,
      'openat',
      [AT_FDCWD, path, O_PATH | O_CLOEXEC],
      {
        what,
      },
    );
    scope.call('descriptors', record, 'dup3', [found, number, O_CLOEXEC], { expect: number });
    scope.call('descriptors', record, 'close', [found]);
    sameFile(scope, record, number, record.value, `${what}, which was exchanged meanwhile`);
    for (const file of files) {
      if ((file.value.flags & O_ACCMODE) > O_RDWR) throw file.invalid('flags', 'no end of a pipe');
      openEnd(restoring, file, number);
    }
    scope.call('descriptors', record, 'close', [number]);
  },
};

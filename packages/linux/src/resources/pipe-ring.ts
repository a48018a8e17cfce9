import type { Call, CheckpointScope, ImageRecord } from '@ckpt/engine';
import { Pipe } from '@ckpt/format';
import type { Description, Restoring, Table } from './descriptor.ts';
import { refuse } from './descriptor.ts';
import { O_ACCMODE, O_DIRECT, O_RDWR, O_WRONLY } from './descriptor-flags.ts';

/** fcntl(2) and ioctl_tty(2). */
const F_SETPIPE_SZ = 1031;
const F_GETPIPE_SZ = 1032;
const FIONREAD = 0x541b;
/** poll(2) */
const POLLERR = 8;
const POLLHUP = 0x10;

/** Ends of a pipe as FILE calls them. */
export const ends = { read: 0, write: 1, both: 2 } as const;

export function endOf({ info }: Description): number {
  const mode = info.flags & O_ACCMODE;
  if (mode === O_RDWR) return ends.both;
  return mode === O_WRONLY ? ends.write : ends.read;
}

const reads = (description: Description): boolean => endOf(description) !== ends.write;
const writes = (description: Description): boolean => endOf(description) !== ends.read;

/** True when the end that the task does not hold is held by nobody: an end of file, or EPIPE. */
function isEnded(scope: CheckpointScope, description: Description): boolean {
  const events = scope.frozen.pollFile?.(scope.task, description.fd) ?? 0;
  return (events & (reads(description) ? POLLHUP : POLLERR)) !== 0;
}

/** How to do with that pipe, or to start the program without it. */
function remedyFor({ fd }: Description, canBeJoined: boolean): string {
  const join = canBeJoined
    ? 'have it joined again at the restart: do without --no-join-pipes; or '
    : '';
  if (fd === 0) return `${join}start the program with its input from a file: COMMAND < /dev/null`;
  if (fd <= 2) return `${join}start the program with its output in a file: COMMAND > out.log 2>&1`;
  return `${join}close it before the checkpoint, or start the program without it: COMMAND ${fd}>&-`;
}

/** True when all that holds the pipe is inside; refused otherwise. */
function isInside(
  scope: CheckpointScope,
  description: Description,
  all: readonly Description[],
): boolean {
  const { frozen, task } = scope;
  const others = frozen.holders?.(task, description.link) ?? [];
  const whole = all.some(reads) && all.some(writes);
  if (others.length === 0 && (whole || isEnded(scope, description))) return true;
  const whose = others.length === 0 ? 'somebody whom this one cannot see' : others.join(', ');
  refuse(scope, description, {
    reason: whole ? `${whose} holds this pipe, too` : `its other end leads to ${whose}`,
    remedy: remedyFor(description, others.length > 0),
  });
  return false;
}

/** Number that a call of a probe left in its room; undefined when the call failed. */
function numberIn(
  answer: { readonly result: bigint; readonly out: readonly Uint8Array[] } | undefined,
) {
  const [bytes] = answer?.out ?? [];
  if (answer === undefined || answer.result < 0n || bytes === undefined) return undefined;
  return new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, true);
}

const asks: readonly Call[] = [
  { call: 'fcntl', args: [-1000, F_GETPIPE_SZ, 0] },
  { call: 'ioctl', args: [-1000, FIONREAD, { out: 4 }] },
];

/** Bytes in flight, which stay in the pipe; undefined when they were refused. */
function peek(
  scope: CheckpointScope,
  description: Description,
  all: readonly Description[],
  pending: number,
): Uint8Array | undefined {
  const reader = all.find(reads);
  // Nobody will ever read them.
  if (pending === 0 || reader === undefined) return new Uint8Array(0);
  const { frozen, task } = scope;
  const bytes = all.some(({ info }) => (info.flags & O_DIRECT) !== 0)
    ? undefined
    : frozen.peekPipe?.(task, reader.fd, pending);
  if (bytes?.length === pending) return bytes;
  refuse(scope, description, {
    detail: `${pending} bytes in flight`,
    reason: 'they are packets (O_DIRECT), or cannot be looked at without taking them',
    remedy: 'checkpoint when the pipe is empty',
  });
  return undefined;
}

/**
 * The ring of a pipe or FIFO, emitted once for all its ends.
 *
 * Image: {@link Pipe}; the bytes in flight are in the store.
 * @param path objref of its PATH; 0 for a pipe(2).
 * @returns its objref; undefined when it was refused.
 */
export function checkpointRing(
  scope: CheckpointScope,
  description: Description,
  table: Table,
  path: number,
): number | undefined {
  const all = table
    .linked(description.link)
    .filter(({ info }) => info.inode === description.info.inode);
  if (!isInside(scope, description, all)) return undefined;
  const key = `${description.link} ${String(description.info.inode)}`;
  const { objref, isNew } = scope.objhash.of('pipe', key);
  if (!isNew) return objref;
  const [size, unread] = scope.frozen.probe(scope.task, description.fd, asks);
  const capacity = Number(size?.result ?? -1n);
  const pending = numberIn(unread);
  if (capacity < 0 || pending === undefined) {
    refuse(scope, description, {
      reason: 'the kernel does not tell how full it is',
      remedy: 'close it before the checkpoint',
    });
    return;
  }
  const bytes = peek(scope, description, all, pending);
  if (bytes === undefined) return undefined;
  const pages = Math.ceil(bytes.length / scope.system.pageSize);
  scope.emit(Pipe, {
    objref,
    capacity,
    pending: bytes.length,
    packets: all.some(({ info }) => (info.flags & O_DIRECT) !== 0) ? 1 : 0,
    index: pages === 0 ? 0n : BigInt(scope.store.add({ bytes }, pages)),
    path,
    _pad: 0,
  });
  return objref;
}

/** Rings of 2^31 bytes are refused by F_SETPIPE_SZ; one slot is a page. */
const capacityMin = 4096;
const capacityMax = 2 ** 31;

/** Plans the size of an empty pipe. @throws CkptError EINVAL for a ring that cannot be. */
export function sizeRing({ scope }: Restoring, record: ImageRecord<Pipe>, fd: number): void {
  const { capacity, pending, packets } = record.value;
  const isPower = Number.isInteger(Math.log2(capacity));
  if (capacity < capacityMin || capacity >= capacityMax || !isPower) {
    throw record.invalid('capacity', `no pipe has a ring of ${capacity} bytes`);
  }
  if (pending > capacity) {
    throw record.invalid('pending', `${pending} bytes cannot fit a ring of ${capacity}`);
  }
  if (packets > 1 || (packets === 1 && pending > 0)) {
    throw record.invalid('packets', `packet mode ${packets} with ${pending} bytes`);
  }
  scope.call('descriptors', record, 'fcntl', [fd, F_SETPIPE_SZ, capacity], {
    expect: capacity,
    what: `a pipe of ${capacity} bytes: raise /proc/sys/fs/pipe-max-size`,
  });
}

/** Plans the content of an empty pipe that `fd` writes to. */
export function fillRing({ scope }: Restoring, record: ImageRecord<Pipe>, fd: number): void {
  const { pending, index } = record.value;
  if (pending === 0) return;
  scope.step('descriptors', {
    op: 'load',
    on: scope.pid,
    from: { position: record.position, path: 'descriptors/PIPE' },
    to: { fd, offset: -1n },
    length: pending,
    index: Number(index),
  });
}

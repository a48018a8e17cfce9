import type { CheckpointScope, Obstacle } from '@ckpt/engine';
import { CKPT_HDR_BUFFER, fileKinds, IoUring, ioUringSetupFlags } from '@ckpt/format';
import type { Description, DescriptorKind, Table } from './descriptor.ts';
import { refuse } from './descriptor.ts';
import {
  arrayOffset,
  busyWith,
  countersOf,
  partsOf,
  ringLayout,
  ringLink,
  ringMappings,
  sqeSize,
  type RingCounters,
} from './io-uring-facts.ts';
import { hasPlainOrder, keepsNoCopies, trimmed } from './io-uring-memory.ts';
import { readPoller, settled, type Poller } from './io-uring-poller.ts';
import { replayMax } from './io-uring-replay.ts';
import { restoreRings, ringNumber } from './io-uring-restore.ts';

type Reason = Omit<Obstacle, 'thing'>;

const IORING_REGISTER_EVENTFD = 4;
const EBADF = 9n;
const EBUSY = 16n;
const EBADFD = 77n;

/** What fdinfo does not tell, by calls that fail in one way or another and change nothing. */
function hiddenState(scope: CheckpointScope, { fd }: Description): Reason | undefined {
  const none = new Uint8Array(4).fill(0xff);
  const [enter, register] = scope.frozen.probe(scope.task, fd, [
    { call: 'io_uring_enter', args: [-1000, 0, 0, 0, 0, 0] },
    // There is no descriptor -1: EBADF, unless another one is registered already.
    { call: 'io_uring_register', args: [-1000, IORING_REGISTER_EVENTFD, { in: none }, 1] },
  ]);
  if (enter?.result === -EBADFD) {
    return {
      reason: 'it is not enabled yet',
      remedy: 'checkpoint when the program has started it',
    };
  }
  if (register?.result === -EBADF) return undefined;
  return register?.result === -EBUSY
    ? { reason: 'it has a registered eventfd', remedy: 'unregister it before the checkpoint' }
    : {
        reason: 'it is restricted, or belongs to one thread alone (IORING_SETUP_SINGLE_ISSUER)',
        remedy: 'make the ring without that',
      };
}

const pagesOf = (size: number, pageSize: number): number => Math.ceil(size / pageSize) * pageSize;

/** True for entries of the usual sizes, mapped whole, laid out as this version knows it. */
function isPlain(
  { sqEntries, cqEntries }: RingCounters,
  sizes: { readonly rings: number; readonly sqes: number },
  memory: Uint8Array,
  pageSize: number,
): boolean {
  const view = new DataView(memory.buffer, memory.byteOffset, memory.length);
  const word = (at: number): number => view.getUint32(at, true);
  return (
    word(ringLayout.sqMask) === sqEntries - 1 &&
    word(ringLayout.cqMask) === cqEntries - 1 &&
    word(ringLayout.sqEntries) === sqEntries &&
    word(ringLayout.cqEntries) === cqEntries &&
    sizes.sqes === pagesOf(sqEntries * sqeSize, pageSize) &&
    sizes.rings >= pagesOf(arrayOffset(cqEntries), pageSize) &&
    sizes.rings <= pagesOf(arrayOffset(cqEntries) + sqEntries * 4, pageSize)
  );
}

/** A ring as it is: counters, where it is mapped, what is in its memory. */
interface Ring {
  readonly counters: RingCounters;
  readonly parts: NonNullable<ReturnType<typeof partsOf>>;
  readonly memory: Uint8Array;
  readonly sqes: Uint8Array;
  readonly poller: Poller;
}

const sizeOf = ({ start, end }: { readonly start: bigint; readonly end: bigint }): number =>
  Number(end - start);

/** What is in the image of a ring, or why it cannot be carried. */
function readRing(scope: CheckpointScope, found: Description, table: Table): Ring | Reason {
  const { frozen, task, system } = scope;
  const description = settled(scope, found);
  const counters = countersOf(description);
  if (counters === undefined) {
    return {
      reason: 'this kernel does not tell its counters',
      remedy: 'run the program without io_uring, or use Linux 6.1 or newer',
    };
  }
  const obstacle = busyWith(description, counters) ?? hiddenState(scope, description);
  if (obstacle !== undefined) return obstacle;
  const poller = readPoller(scope, description, table);
  if ('reason' in poller) return poller;
  const parts = partsOf(ringMappings(scope), description);
  if (parts === undefined) {
    return {
      reason: 'it is not mapped as liburing and libuv do it',
      remedy: 'close it before the checkpoint',
    };
  }
  const sizes = { rings: sizeOf(parts.rings), sqes: sizeOf(parts.sqes) };
  const memory = frozen.memory(task, parts.rings.start, sizes.rings);
  const sqes = frozen.memory(task, parts.sqes.start, sizes.sqes);
  if (!isPlain(counters, sizes, memory, system.pageSize)) {
    return {
      reason: 'its entries have another size than usual',
      remedy: 'make the ring without IORING_SETUP_SQE128 and IORING_SETUP_CQE32',
    };
  }
  if (counters.sqHead > replayMax && !keepsNoCopies(sqes)) {
    return {
      reason: `its counters are too far to be brought back (${counters.sqHead} requests)`,
      remedy: 'checkpoint earlier, or let the program make a new ring',
    };
  }
  return { counters, parts, memory, sqes, poller };
}

function emitRing(scope: CheckpointScope, inode: bigint, ring: Ring): number {
  const { counters, parts, memory, sqes, poller } = ring;
  const { objref } = scope.objhash.of('io_uring', inode.toString());
  const { CQSIZE, NO_SQARRAY } = ioUringSetupFlags;
  scope.emit(IoUring, {
    objref,
    ...poller,
    setup_flags:
      CQSIZE | poller.setup_flags | (hasPlainOrder(memory, sqes, counters) ? NO_SQARRAY : 0),
    sq_entries: counters.sqEntries,
    cq_entries: counters.cqEntries,
    sq_head: counters.sqHead,
    sq_tail: counters.sqTail,
    cq_head: counters.cqHead,
    cq_tail: counters.cqTail,
    ring_address: parts.rings.start,
    ring_size: BigInt(memory.length),
    sqes_address: parts.sqes.start,
    sqes_size: BigInt(sqes.length),
    inode,
  });
  scope.emitBytes(CKPT_HDR_BUFFER, trimmed(memory));
  scope.emitBytes(CKPT_HDR_BUFFER, trimmed(sqes));
  return objref;
}

/**
 * An idle ring of io_uring(7): every Node from 22 on has some. Its counters go on where they were.
 *
 * Image: {@link IoUring}, the memory of the rings, that of the submission entries. Not saved, since
 * nothing shows them: flags that change when completions are posted (IORING_SETUP_COOP_TASKRUN),
 * limits of its workers, rings of provided buffers, when a polling thread falls asleep (as libuv's
 * then), and that rings share one.
 */
export const ioUring: DescriptorKind = {
  name: 'io_uring',
  kind: fileKinds.io_uring,
  records: [IoUring],

  claims: (_scope, { link }) => link === ringLink,

  checkpoint(scope, description, table) {
    const ring = readRing(scope, description, table);
    if ('reason' in ring) {
      refuse(scope, description, ring);
      return;
    }
    if (ring.counters.sqHead > replayMax) {
      scope.note(`descriptor ${description.fd}: the counters of its ring start anew`);
    }
    return { object: emitRing(scope, description.info.inode ?? 0n, ring) };
  },

  prepare: restoreRings,

  restore(restoring, files) {
    const { scope, place } = restoring;
    for (const file of files) {
      const record = scope.document.object(file.value.object, IoUring, file);
      place(file, ringNumber(restoring, record));
    }
  },
};

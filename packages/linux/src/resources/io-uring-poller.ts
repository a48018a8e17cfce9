import type { CheckpointScope, Obstacle } from '@ckpt/engine';
import { ioUringSetupFlags, type IoUring } from '@ckpt/format';
import { parseFdInfo } from '../procfs/fdinfo.ts';
import { parseStatus, type Status } from '../procfs/status.ts';
import type { Description, Table } from './descriptor.ts';
import { bitsOf } from './cred-capabilities.ts';
import { sameRights } from './cred-rights.ts';
import { required } from './facts.ts';
import { countersOf, isInFlight, isPolling, pollerOf, ringLink } from './io-uring-facts.ts';

/** How often, and after how many microseconds, a ring is looked at while what is in flight ends. */
const looksMax = 500;
const lookAfter = 1000;

/**
 * A ring once its requests are done: the kernel's threads go on with them while the task stands
 * still. As it is at last, where they do not end.
 */
export function settled(scope: CheckpointScope, description: Description): Description {
  let last = description;
  for (let look = 0; look < looksMax && hasBegun(last); look++) {
    scope.frozen.pause?.(lookAfter);
    const bytes = scope.frozen.read(scope.task, `fdinfo/${description.fd}`);
    const info = bytes === undefined ? undefined : parseFdInfo(bytes);
    if (info === undefined) break;
    last = { ...description, info };
  }
  return last;
}

function hasBegun(description: Description): boolean {
  // The kernel says nothing of a ring that one of its threads has locked at that moment.
  if (description.info.lines.length === 0) return true;
  const counters = countersOf(description);
  if (counters === undefined || isPolling(description)) return false;
  return isInFlight(description, counters);
}

/** libuv's; nothing tells that of others, which are to look at IORING_SQ_NEED_WAKEUP anyway. */
const usualIdleMs = 10;

/** What is in the image of a polling thread. */
export type Poller = Pick<IoUring, 'setup_flags' | 'sq_cpu' | 'sq_idle'>;

const none: Poller = { setup_flags: 0, sq_cpu: 0, sq_idle: 0 };

const cpusOf = ({ cpusAllowed }: Status): readonly number[] =>
  Array.from({ length: cpusAllowed.length / 8 }, (_, word) =>
    bitsOf(
      new DataView(cpusAllowed.buffer, cpusAllowed.byteOffset).getBigUint64(word * 8, true),
    ).map((bit) => word * 64 + bit),
  ).flat();

/** Threads of the kernel that work for the task, by the ids that this pid namespace has for them. */
function helpersOf({ frozen, task }: CheckpointScope): ReadonlyMap<number, Status> {
  const own = new Set(task.threads.map(({ tid }) => tid));
  const others = frozen.list(task, 'task').map(Number);
  return new Map(
    others.flatMap((tid): readonly (readonly [number, Status])[] => {
      const bytes = own.has(tid) ? undefined : frozen.read(task, `task/${tid}/status`);
      return bytes === undefined ? [] : [[tid, parseStatus(bytes)]];
    }),
  );
}

/** The thread of the kernel that polls a ring, or why it cannot be had again. */
export function readPoller(
  scope: CheckpointScope,
  description: Description,
  table: Table,
): Poller | Omit<Obstacle, 'thing'> {
  const tid = pollerOf(description);
  if (tid === undefined) return none;
  const own = parseStatus(required(scope.frozen, scope.task, 'status'));
  const pollers = helpersOf(scope);
  if (pollers.size === 0 || [...pollers.values()].some((each) => !sameRights(each, own))) {
    return {
      reason: 'its polling thread has other credentials than the process (IORING_SETUP_SQPOLL)',
      remedy: 'make the ring after the last change of credentials, or set UV_USE_IO_URING=0',
    };
  }
  const others = table.linked(ringLink).filter((other) => other.fd !== description.fd);
  if (others.some((other) => pollerOf(other) === tid)) {
    scope.note(`descriptor ${description.fd} has a polling thread of its own after a restart`);
  }
  const poller = pollers.get(tid);
  const [cpu, ...more] = poller === undefined ? [] : cpusOf(poller);
  const isFixed = cpu !== undefined && more.length === 0 && cpusOf(own).length > 1;
  const { SQPOLL, SQ_AFF } = ioUringSetupFlags;
  return {
    setup_flags: SQPOLL | (isFixed ? SQ_AFF : 0),
    sq_cpu: isFixed ? cpu : 0,
    sq_idle: usualIdleMs,
  };
}

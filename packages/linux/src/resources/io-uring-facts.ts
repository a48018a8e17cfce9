import type { CheckpointScope, Obstacle } from '@ckpt/engine';
import { decodeText } from '@ckpt/io';
import { fieldOf } from '../procfs/fdinfo.ts';
import type { Description, Table } from './descriptor.ts';
import { required } from './facts.ts';

export const ringLink = 'anon_inode:[io_uring]';

/** Where mmap(2) finds the parts of a ring (io_uring_setup(2)). */
const IORING_OFF_SQES = 0x1000_0000n;

/** Struct io_rings of Linux 6.0 and newer: counters, masks, then the completions. */
export const ringLayout = {
  sqHead: 0,
  sqTail: 4,
  cqHead: 8,
  cqTail: 12,
  sqMask: 16,
  cqMask: 20,
  sqEntries: 24,
  cqEntries: 28,
  dropped: 32,
  sqFlags: 36,
  cqFlags: 40,
  overflow: 44,
  cqes: 64,
} as const;

export const sqeSize = 64;
const cqeSize = 16;
/** Bytes: the index array begins at a cache line. */
const arrayAlign = 64;

/** Bytes from the start of the ring memory to its index array. */
export function arrayOffset(cqEntries: number): number {
  const end = ringLayout.cqes + cqEntries * cqeSize;
  return Math.ceil(end / arrayAlign) * arrayAlign;
}

/** A part of a ring in the address space of the task. */
export interface RingMapping {
  readonly start: bigint;
  readonly end: bigint;
  /** One of IORING_OFF_*. */
  readonly offset: bigint;
  readonly inode: bigint;
}

/** Counters of fdinfo, those of the kernel itself where it keeps a copy. */
export interface RingCounters {
  readonly sqEntries: number;
  readonly cqEntries: number;
  readonly sqHead: number;
  readonly sqTail: number;
  readonly cqHead: number;
  readonly cqTail: number;
}

/** Mappings of all rings. */
export function ringMappings(scope: CheckpointScope): readonly RingMapping[] {
  const maps = decodeText(required(scope.frozen, scope.task, 'maps'));
  const pattern = /^([0-9a-f]+)-([0-9a-f]+) \S+ ([0-9a-f]+) \S+ (\d+) +anon_inode:\[io_uring\]$/gm;
  return [...maps.matchAll(pattern)].map(
    ([, start = '0', end = '0', offset = '0', inode = '0']) => ({
      start: BigInt(`0x${start}`),
      end: BigInt(`0x${end}`),
      offset: BigInt(`0x${offset}`),
      inode: BigInt(inode),
    }),
  );
}

/** Rings that are mapped and have no descriptor: nothing tells whether they are idle. */
export function refuseOrphans(scope: CheckpointScope, table: Table): void {
  const open = new Set(table.linked(ringLink).map(({ info }) => info.inode));
  const told = new Set<bigint>();
  for (const { start, end, inode } of ringMappings(scope)) {
    if (open.has(inode) || told.has(inode)) continue;
    told.add(inode);
    scope.refuse({
      thing: `mapping ${start.toString(16)}-${end.toString(16)}: ${ringLink}`,
      reason: 'its ring has no descriptor any more',
      remedy: 'unmap it before the checkpoint',
    });
  }
}

type Reason = Omit<Obstacle, 'thing'>;
const reason = (text: string, remedy: string): Reason => ({ reason: text, remedy });

/** What the kernel counts; undefined when it does not tell all of it. */
export function countersOf({ info }: Description): RingCounters | undefined {
  const number = (name: string): number => {
    const text = fieldOf(info, name) ?? '';
    return text === '' ? Number.NaN : Number(text);
  };
  const counters = {
    sqEntries: number('SqMask') + 1,
    cqEntries: number('CqMask') + 1,
    sqHead: number('CachedSqHead'),
    sqTail: number('SqTail'),
    cqHead: number('CqHead'),
    cqTail: number('CachedCqTail'),
  };
  return Object.values(counters).every((value) => Number.isInteger(value)) ? counters : undefined;
}

/** Lines of the block that begins with a name, each deeper than it. */
function blockOf({ info }: Description, name: string): readonly string[] {
  const start = info.lines.findIndex((line) => line.startsWith(`${name}:`));
  if (start < 0) return [];
  const rest = info.lines.slice(start + 1);
  const end = rest.findIndex((line) => !/^\s/.test(line));
  return end < 0 ? rest : rest.slice(0, end);
}

/** Id of the kernel's thread that polls a ring (IORING_SETUP_SQPOLL); undefined without one. */
export function pollerOf({ info }: Description): number | undefined {
  const tid = Number(fieldOf(info, 'SqThread') ?? '-1');
  return tid >= 0 ? tid : undefined;
}

/** True where a poll is in flight, which may be for ever. */
export const isPolling = (description: Description): boolean =>
  blockOf(description, 'PollList').length > 0;

/** True while what was submitted is not all completed. */
export function isInFlight(description: Description, counters: RingCounters): boolean {
  const { sqHead, sqTail, cqTail } = counters;
  const value = (name: string): string => fieldOf(description.info, name) ?? '';
  const same =
    value('SqHead') === value('CachedSqHead') && value('CqTail') === value('CachedCqTail');
  // What is queued there is begun without a call.
  const begins = pollerOf(description) !== undefined && sqTail !== sqHead;
  return sqHead !== cqTail || begins || !same || isPolling(description);
}

/** Whatever fdinfo tells that cannot be made again; undefined for an idle, plain ring. */
export function busyWith(description: Description, counters: RingCounters): Reason | undefined {
  const { info } = description;
  const value = (name: string): string => fieldOf(info, name) ?? '';
  if (isInFlight(description, counters)) {
    const { sqHead, cqTail } = counters;
    return reason(
      `requests are in flight: ${sqHead} were submitted, ${cqTail} completed`,
      'checkpoint when they are done',
    );
  }
  if (blockOf(description, 'CqOverflowList').length > 0) {
    return reason('completions wait for room', 'checkpoint when the program has reaped them');
  }
  if (Number(value('UserFiles') || '0') > 0) {
    return reason('it has registered files', 'unregister them before the checkpoint');
  }
  if (Number(value('UserBufs') || '0') > 0) {
    return reason('it has registered buffers', 'unregister them before the checkpoint');
  }
  if (blockOf(description, 'Personalities').length > 0) {
    return reason('it has registered credentials', 'unregister them before the checkpoint');
  }
  if (value('NAPI').startsWith('enabled')) {
    return reason('it polls a network device', 'unregister that before the checkpoint');
  }
  return undefined;
}

/** The two mappings of a ring; undefined when it is mapped otherwise. */
export function partsOf(
  mappings: readonly RingMapping[],
  { info }: Description,
): { readonly rings: RingMapping; readonly sqes: RingMapping } | undefined {
  const own = mappings.filter(({ inode }) => inode === info.inode);
  const rings = own.find(({ offset }) => offset === 0n);
  const sqes = own.find(({ offset }) => offset === IORING_OFF_SQES);
  if (own.length !== 2 || rings === undefined || sqes === undefined) return undefined;
  return { rings, sqes };
}

import type { CheckpointScope, ImageRecord } from '@ckpt/engine';
import { EpollItem, EpollItems, File, fileKinds } from '@ckpt/format';
import type { Description, DescriptorKind, Restoring, Table } from './descriptor.ts';
import { refuse, thingOf } from './descriptor.ts';
import { setStatus } from './descriptor-flags.ts';
import { O_CLOEXEC } from './path-open.ts';

/** "tfd:        3 events: 80000019 data:                3  pos:0 ino:560c sdev:f" */
const pattern =
  /^tfd:\s*(\d+)\s+events:\s*([0-9a-f]+)\s+data:\s*([0-9a-f]+)(?:\s+pos:(-?\d+)\s+ino:([0-9a-f]+))?/;

/** One line of fdinfo. */
interface Watched {
  readonly fd: number;
  readonly events: number;
  readonly data: bigint;
  /** Of the file that is watched; undefined before Linux 4.13. */
  readonly inode: bigint | undefined;
}

function parseWatched(line: string): Watched | undefined {
  const [, fd, events, data, , inode] = pattern.exec(line) ?? [];
  if (fd === undefined || events === undefined || data === undefined) return undefined;
  return {
    fd: Number(fd),
    events: Number.parseInt(events, 16),
    data: BigInt(`0x${data}`),
    inode: inode === undefined ? undefined : BigInt(`0x${inode}`),
  };
}

/** What an item watches: under its number, or under others if that was closed or used anew. */
function findTarget(
  scope: CheckpointScope,
  epoll: Description,
  { fd, inode }: Watched,
  index: number,
  table: Table,
): Description | undefined {
  const mayBe = (description: Description): boolean =>
    inode === undefined || description.info.inode === undefined || description.info.inode === inode;
  const { frozen, task } = scope;
  const watches = frozen.watches?.bind(frozen);
  const isIt = (description: Description): boolean =>
    mayBe(description) && (watches?.(task, description.fd, epoll.fd, fd, index) ?? true);
  const now = table.at(fd);
  if (now !== undefined && isIt(now)) return now;
  return watches === undefined ? undefined : table.descriptions.find(isIt);
}

/** EPOLLWAKEUP, EPOLLEXCLUSIVE, EPOLLONESHOT, EPOLLET: how it is watched, not for what. */
const howMask = 0xf000_0000;
const EPOLLONESHOT = 0x4000_0000;
/** What every item is told of, unless it is off. */
const always = 0x18;

/** After EPOLLONESHOT nothing is left of what is waited for (eventpoll.c, ep_send_events). */
const isOff = ({ events }: Pick<Watched, 'events'>): boolean =>
  (events & ~howMask) >>> 0 === 0 && (events & EPOLLONESHOT) !== 0;

/** What a file is ready for, beside what every item is told of. */
function readiness({ frozen, task }: CheckpointScope, { fd }: Description): number {
  return (frozen.pollFile?.(task, fd) ?? 0) & ~always;
}

/** Items with the FILEs that they watch; undefined when one cannot be carried. */
function itemsOf(
  scope: CheckpointScope,
  description: Description,
  table: Table,
): readonly EpollItem[] | undefined {
  const items: EpollItem[] = [];
  const seen = new Map<number, number>();
  for (const line of description.info.lines) {
    const watched = parseWatched(line);
    if (watched === undefined) continue;
    const index = seen.get(watched.fd) ?? 0;
    seen.set(watched.fd, index + 1);
    const target = findTarget(scope, description, watched, index, table);
    if (target === undefined) {
      refuse(scope, description, {
        detail: `which watches what descriptor ${watched.fd} was`,
        reason: 'no descriptor of the process leads to that file any more',
        remedy: 'remove the descriptor from the epoll before closing it (EPOLL_CTL_DEL)',
      });
      return;
    }
    const file = table.file(target);
    // What is refused is told for itself.
    if (file === undefined) return undefined;
    const { fd, events, data } = watched;
    const ready = isOff(watched) ? readiness(scope, target) : 0;
    if (isOff(watched) && ready === 0) {
      scope.note(
        `${thingOf(description)} tells of errors and hang-ups of descriptor ${fd} after a ` +
          'restart, although that is off (EPOLLONESHOT)',
      );
    }
    items.push({ fd, events, data, file, ready });
  }
  return items;
}

const EPOLL_CTL_ADD = 1;
/** fs.nr_open, unless an administrator has raised it. */
const fdMax = 1 << 20;

/** struct epoll_event of x86-64: packed. */
function eventOf({ events, data }: EpollItem): Uint8Array {
  const bytes = new Uint8Array(12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, events, true);
  view.setBigUint64(4, data, true);
  return bytes;
}

function add(
  { scope }: Restoring,
  record: ImageRecord<EpollItems>,
  epoll: number,
  item: EpollItem,
): void {
  const { fd, ready } = item;
  const wanted = { ...item, events: (item.events | ready) >>> 0 };
  scope.call('settle', record, 'epoll_ctl', [epoll, EPOLL_CTL_ADD, fd, { blob: eventOf(wanted) }], {
    what: `watch descriptor ${fd} with epoll ${epoll}`,
  });
  if (ready === 0) return;
  // Only what it tells turns it off, and nothing else is watched yet.
  const room = { room: scope.fresh('event'), size: 12 };
  scope.call('settle', record, 'epoll_wait', [epoll, room, 1, 0], {
    expect: 1,
    failure: 'warn',
    what: `epoll ${epoll} may tell of descriptor ${fd} once more (EPOLLONESHOT)`,
  });
}

/**
 * Watches a file under a number that leads elsewhere, or nowhere, by now: for a moment it is put
 * there, and what is there out of the way.
 */
function addElsewhere(
  restoring: Restoring,
  record: ImageRecord<EpollItems>,
  epoll: number,
  item: EpollItem,
  occupied: { readonly closeOnExec: boolean } | undefined,
): void {
  const { scope, scratch, fdOf } = restoring;
  const target = fdOf(scope.document.object(item.file, File, record)) ?? -1;
  const call = (name: string, args: readonly number[]): void => {
    scope.call('settle', record, name, args, { what: `watch a file as descriptor ${item.fd}` });
  };
  if (occupied !== undefined) call('dup3', [item.fd, scratch(0), O_CLOEXEC]);
  call('dup3', [target, item.fd, O_CLOEXEC]);
  add(restoring, record, epoll, item);
  if (occupied === undefined) {
    call('close', [item.fd]);
    return;
  }
  call('dup3', [scratch(0), item.fd, occupied.closeOnExec ? O_CLOEXEC : 0]);
  call('close', [scratch(0)]);
}

/**
 * An interest list of epoll(7). What it watches is added when all descriptors are there.
 *
 * Image: the FILEs that are watched, {@link EpollItems}, its {@link EpollItem}. Not saved: which
 * events were already told of (EPOLLET tells once more). An item that is off after EPOLLONESHOT
 * is turned off by an event that it is ready for; without one it tells of errors and hang-ups.
 */
export const epoll: DescriptorKind = {
  name: 'epoll',
  kind: fileKinds.epoll,
  records: [EpollItems],

  claims: (_scope, { link }) => link === 'anon_inode:[eventpoll]',

  checkpoint(scope, description, table) {
    const items = itemsOf(scope, description, table);
    if (items === undefined) return undefined;
    const { objref } = scope.objhash.of('epoll', `${scope.task.pid}:${description.fd}`);
    scope.emit(EpollItems, { objref, count: items.length });
    scope.emitArray(EpollItem, items);
    return { object: objref };
  },

  restore({ scope, place }, files) {
    for (const file of files) {
      const record = scope.document.object(file.value.object, EpollItems, file);
      const fd = scope.call('descriptors', record, 'epoll_create1', [0], { what: 'an epoll' });
      setStatus(scope, file, fd);
      place(file, fd);
    }
  },

  settle(restoring, files) {
    const { scope, fdOf, at } = restoring;
    for (const file of files) {
      const record = scope.document.object(file.value.object, EpollItems, file);
      const items = record.arrayOf(EpollItem);
      if (items.length !== record.value.count) {
        throw record.invalid(
          'count',
          `${items.length} items where ${record.value.count} were said`,
        );
      }
      const number = fdOf(file) ?? -1;
      const [off, on] = [items.filter(isOff), items.filter((item) => !isOff(item))];
      for (const item of [...off, ...on]) {
        if (item.ready !== 0 && !isOff(item))
          throw record.invalid('ready', 'of an item that is on');
        if (item.fd < 0 || item.fd >= fdMax) throw record.invalid('fd', `descriptor ${item.fd}`);
        const target = scope.document.object(item.file, File, record);
        const now = at(item.fd);
        if (now?.file === target) add(restoring, record, number, item);
        else addElsewhere(restoring, record, number, item, now);
      }
    }
  },
};

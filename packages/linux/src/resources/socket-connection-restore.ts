import type { ImageRecord, RestoreScope, Value } from '@ckpt/engine';
import {
  connectionEnds,
  connectionFates,
  Socket,
  SocketInet,
  SocketOption,
  type File,
} from '@ckpt/format';
import { filterName, removeFilter } from '../netfilter/filter.ts';
import type { Restoring } from './descriptor.ts';
import { hostText } from './socket-address.ts';
import { checkOptions, setOption } from './socket-options.ts';
import { SO_REUSEADDR, SOL_SOCKET } from './socket-option-table.ts';
import { IPPROTO_TCP, repairModes, TCP_REPAIR, wordBytes } from './socket-tcp.ts';

export type SocketRecord = ImageRecord<Socket>;
export type ConnectionRecord = ImageRecord<SocketInet>;

const connections = new WeakMap<object, ReadonlyMap<number, ConnectionRecord>>();

/** The connection of a SOCKET; undefined when it has none. */
export function connectionOf(
  { document }: RestoreScope,
  { value: { objref } }: SocketRecord,
): ConnectionRecord | undefined {
  const known =
    connections.get(document) ??
    new Map(document.all(SocketInet).map((record) => [record.value.socket, record]));
  connections.set(document, known);
  return known.get(objref);
}

/** Why a connection cannot be carried on here; undefined when it can. */
function hindrance({ system }: RestoreScope, local: Uint8Array): string | undefined {
  const { connections: here } = system;
  if (here === undefined) return undefined;
  if (!here.repairs) return 'that takes CAP_NET_ADMIN (TCP_REPAIR), which is not to be had here';
  const host = hostText(local);
  if (host.startsWith('127.') || here.addresses.includes(host)) return undefined;
  return `${host} is no address of this machine`;
}

/** "127.0.0.1:80 -> 10.0.0.1:999" */
export interface Line {
  readonly local: Uint8Array;
  readonly text: string;
}

/**
 * True for a connection that goes on, or could: what is to be closed is closed properly then.
 * @throws CkptError EPERM when it was to go on (--tcp=repair) and cannot.
 */
export function isCarried(
  scope: RestoreScope,
  record: ConnectionRecord,
  { local, text }: Line,
): boolean {
  if (record.value.fate !== connectionFates.CARRIED) return false;
  const why = hindrance(scope, local);
  if (why === undefined) return true;
  if (scope.options.tcp === 'repair') {
    throw record.invalid('fate', `${text} cannot be carried on: ${why}; pass --tcp=close`, 'EPERM');
  }
  scope.note(`connection ${text}: the process finds it closed: ${why}`);
  return false;
}

/** Plans TCP_REPAIR. */
export function setRepair(
  scope: RestoreScope,
  section: 'descriptors' | 'connections',
  record: ConnectionRecord,
  fd: Value,
  mode: keyof typeof repairModes,
  text = '',
): void {
  const blob = wordBytes(repairModes[mode]);
  scope.call(section, record, 'setsockopt', [fd, IPPROTO_TCP, TCP_REPAIR, { blob }, 4], {
    what: `carry on the connection ${text} (TCP_REPAIR): pass --tcp=close`,
  });
}

/** netlink(7): AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER */
const netfilterSocket = [16, 3 | 0o2000000, 12] as const;

/** Plans to take away the packet filter that has kept other ends waiting: everything stands ready. */
export function releaseFilters({ scope }: Restoring): void {
  if (scope.system.connections?.repairs === false) return;
  const records = scope.document.all(SocketInet).filter(({ value }) => value.filter !== 0n);
  const filters = new Map(records.map((record) => [record.value.filter, record]));
  for (const [startTime, record] of filters) {
    const fd = scope.call('connections', record, 'socket', netfilterSocket, {
      what: 'a socket to nf_tables',
    });
    const blob = removeFilter(filterName(scope.pid, startTime));
    // There is none after a restart of the machine: the answer does not matter.
    scope.call('connections', record, 'write', [fd, { blob }, blob.length], {
      what: 'take the packet filter away',
      failure: 'warn',
    });
    scope.call('connections', record, 'close', [fd]);
  }
}

/** Values of shutdown(2), by the directions that are over. */
const shutdowns: Readonly<Record<number, number>> = {
  [connectionEnds.READ]: 0,
  [connectionEnds.WRITE]: 1,
  [connectionEnds.READ | connectionEnds.WRITE]: 2,
};

/** Connections that were planned to be carried on, of each plan. */
const carried = new WeakMap<Restoring, Set<number>>();

export function markCarried(restoring: Restoring, record: SocketRecord): void {
  const known = carried.get(restoring) ?? new Set<number>();
  carried.set(restoring, known.add(record.value.objref));
}

/** Plans a connection to go on, once everything stands ready: the other end notices it now. */
export function settleSocket(restoring: Restoring, files: readonly ImageRecord<File>[]): void {
  const { scope, fdOf } = restoring;
  const [file] = files;
  if (file === undefined) return;
  const record = scope.document.object(file.value.object, Socket, file);
  const connection = connectionOf(scope, record);
  const fd = fdOf(file);
  if (connection === undefined || fd === undefined) return;
  if (carried.get(restoring)?.has(record.value.objref) !== true) return;
  // With a packet that lets the other end answer at once, instead of when it tries again.
  setRepair(scope, 'connections', connection, fd, 'off');
  for (const option of checkOptions(record, record.arrayOf(SocketOption))) {
    if (option.level !== SOL_SOCKET || option.name !== SO_REUSEADDR) continue;
    setOption(scope, record, fd, option, 'connections');
  }
  const isClosed = scope.options.tcp === 'close';
  const how = shutdowns[isClosed ? 3 : connection.value.ended];
  if (how === undefined) return;
  scope.call('connections', connection, 'shutdown', [fd, how], { what: 'end a connection' });
}

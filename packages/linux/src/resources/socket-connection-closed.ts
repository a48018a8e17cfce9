import type { Value } from '@ckpt/engine';
import { connectionFates } from '@ckpt/format';
import type { Restoring } from './descriptor.ts';
import type { ConnectionRecord, SocketRecord } from './socket-connection-restore.ts';
import { setOption, type KnownOption } from './socket-options.ts';
import { SO_REUSEADDR, SOL_SOCKET } from './socket-option-table.ts';
import { wordBytes } from './socket-tcp.ts';

const SO_LINGER = 13;
/** IPV6_V6ONLY */
const [IPPROTO_IPV6, IPV6_V6ONLY] = [41, 26];
const SHUT_WR = 1;
/** Bytes that any new connection takes without waiting. */
const receivedMax = 1 << 15;

/** Plans to write contents of a connection: what was received, sent, not sent yet. */
export function loadContents(
  { scope }: Restoring,
  record: ConnectionRecord,
  fd: Value,
  which: 0 | 1 | 2,
): void {
  const { received, sent, unsent, index } = record.value;
  const lengths = [received, sent, unsent];
  const length = lengths[which] ?? 0;
  if (length === 0) return;
  const pages = lengths
    .slice(0, which)
    .reduce((sum, each) => sum + Math.ceil(each / scope.system.pageSize), 0);
  scope.step('descriptors', {
    op: 'load',
    on: scope.pid,
    from: { position: record.position, path: 'descriptors/SOCKET_INET' },
    to: { fd, offset: -1n },
    length,
    index: Number(index) + pages,
  });
}

/** struct sockaddr_in of 127.0.0.1, and struct sockaddr_in6 of it or of ::1; any port. */
function loopback(isV4: boolean, isOnlyV6: boolean): Uint8Array {
  if (isV4) return Uint8Array.of(2, 0, 0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0);
  const bytes = new Uint8Array(28);
  bytes[0] = 10;
  if (isOnlyV6) bytes[23] = 1;
  else bytes.set([0xff, 0xff, 127, 0, 0, 1], 18);
  return bytes;
}

interface Remains {
  readonly options: readonly KnownOption[];
  readonly isV4: boolean;
}

/**
 * Plans a connection that was closed: a real one, to the task itself, whose other end says what had
 * not been read yet, and closes. So reading and writing, poll(2) and epoll tell what they always
 * tell of a connection that the other end has closed.
 */
export function makeClosed(
  restoring: Restoring,
  record: ConnectionRecord,
  socket: SocketRecord,
  { options, isV4 }: Remains,
): Value {
  const { scope } = restoring;
  const { domain, type, protocol } = socket.value;
  const call = (name: string, args: readonly Value[]): Value =>
    scope.call('descriptors', record, name, args, { what: 'a connection that has ended' });
  const onlyV6 = options.some(({ level, name }) => level === IPPROTO_IPV6 && name === IPV6_V6ONLY);
  const address = loopback(isV4, onlyV6);
  const room = { room: scope.fresh('address'), size: address.length };
  const listener = call('socket', [domain, type, protocol]);
  call('bind', [listener, { blob: address }, address.length]);
  call('listen', [listener, 1]);
  call('getsockname', [listener, room, { blob: wordBytes(address.length) }]);
  const fd = call('socket', [domain, type, protocol]);
  for (const option of options) if (option.early) setOption(scope, socket, fd, option);
  call('connect', [fd, room, address.length]);
  const other = call('accept4', [listener, 0, 0, 0]);
  const { RESET, ENDED } = connectionFates;
  // More would have to wait for a reader: a connection that broke may have lost it.
  const isReset = record.value.fate === RESET || record.value.received > receivedMax;
  if (isReset) {
    const linger = { blob: wordBytes(1, 0) };
    call('setsockopt', [other, SOL_SOCKET, SO_LINGER, linger, 8]);
  } else loadContents(restoring, record, other, 0);
  call('close', [other]);
  call('close', [listener]);
  // Both ends were closed: this one, too.
  if (record.value.fate === ENDED && !isReset) call('shutdown', [fd, SHUT_WR]);
  if (isReset) return fd;
  for (const option of options) {
    const isReuse = option.level === SOL_SOCKET && option.name === SO_REUSEADDR;
    if (!option.early && !isReuse) setOption(scope, socket, fd, option);
  }
  return fd;
}

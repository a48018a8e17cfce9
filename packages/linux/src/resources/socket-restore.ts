import type { ImageRecord, RestoreScope, Value } from '@ckpt/engine';
import {
  CKPT_HDR_BUFFER,
  Socket,
  socketDomains,
  SocketOption,
  socketStates,
  socketTypes,
  type File,
} from '@ckpt/format';
import { cString } from '../procfs/text.ts';
import type { Restoring } from './descriptor.ts';
import { O_NONBLOCK, setStatus } from './descriptor-flags.ts';
import { fileTypes, typeOf } from './path-type.ts';
import { addressText, isAddress, unixName } from './socket-address.ts';
import { openConnection } from './socket-connection-open.ts';
import { connectionOf } from './socket-connection-restore.ts';
import { shapeOf } from './socket-facts.ts';
import { openDeserted, partnerOf, restorePair } from './socket-pair.ts';
import { checkOptions, setOption, type KnownOption } from './socket-options.ts';
import { SO_REUSEADDR, SOL_SOCKET } from './socket-option-table.ts';

type SocketRecord = ImageRecord<Socket>;

const backlogMax = 0x7fff_ffff;
const noAddress = new Uint8Array(0);

/** An address that follows a SOCKET. @throws CkptError EINVAL for none that the domain has. */
function addressOf(record: SocketRecord, nth: number, mayLack: boolean): Uint8Array {
  const bytes = record.bytesOf(CKPT_HDR_BUFFER, nth);
  if (mayLack && bytes.length === 0) return noAddress;
  if (isAddress(record.value.domain, bytes)) return bytes;
  throw record.invalid('address', `${bytes.length} bytes that are no address of its domain`);
}

/** @throws CkptError EINVAL or ENOSYS for a socket that no checkpoint writes. */
function checkSocket(record: SocketRecord, isConnection: boolean): void {
  const { domain, type, protocol, state, backlog } = record.value;
  const { isTcp, isUdp } = shapeOf(record.value);
  const unixTypes: readonly number[] = Object.values(socketTypes);
  const isUnix =
    domain === socketDomains.UNIX && type !== socketTypes.RAW && unixTypes.includes(type);
  if (!isTcp && !isUdp && !(isUnix && protocol === 0)) {
    const sentence = `a socket of domain ${domain}, type ${type}, protocol ${protocol}`;
    throw record.invalid('protocol', sentence, 'ENOSYS');
  }
  const states: readonly number[] = [
    socketStates.UNCONNECTED,
    ...(type === socketTypes.DGRAM ? [] : [socketStates.LISTENING]),
    ...(isUdp || isConnection ? [socketStates.CONNECTED] : []),
  ];
  if (record.value.flags !== 0) throw record.invalid('flags', 'a socket that was shut down');
  if (!states.includes(state)) throw record.invalid('state', `a socket in state ${state}`);
  if (backlog > backlogMax) throw record.invalid('backlog', `a backlog of ${backlog}`);
}

const EADDRINUSE = 'EADDRINUSE';
const ECONNREFUSED = 111;

/** Takes a dead socket's file away; one that somebody listens on stays. */
function clearName(scope: RestoreScope, record: SocketRecord, address: Uint8Array): void {
  const name = unixName(address);
  const stat = scope.stat(name);
  if (stat === undefined) return;
  if (typeOf(stat.mode) !== fileTypes.socket) {
    throw record.invalid('address', `${name} is no socket now: move it away`, EADDRINUSE);
  }
  // A server whose queue is full would let connect(2) wait.
  const type = record.value.type | O_NONBLOCK;
  const probe = scope.call('descriptors', record, 'socket', [socketDomains.UNIX, type, 0]);
  scope.call('descriptors', record, 'connect', [probe, { blob: address }, address.length], {
    expect: -ECONNREFUSED,
    what: `bind ${name}: somebody else serves it (ss -xlp); stop that program first`,
  });
  scope.call('descriptors', record, 'close', [probe]);
  scope.call('descriptors', record, 'unlink', [{ blob: cString(name) }], {
    what: `remove ${name}, which nobody serves`,
  });
}

/** Gives the file that bind(2) made the mode and owner it had. */
function dressName(scope: RestoreScope, record: SocketRecord, name: string): void {
  const { mode, uid, gid } = record.value;
  if (mode === 0) return;
  const blob = cString(name);
  const what = `mode and owner of ${name}`;
  scope.call('descriptors', record, 'chmod', [{ blob }, mode & 0o7777], { what, failure: 'warn' });
  scope.call('descriptors', record, 'chown', [{ blob }, uid, gid], { what, failure: 'warn' });
}

const reuse = (on: 0 | 1): Omit<KnownOption, 'early'> => ({
  what: 'SO_REUSEADDR',
  optional: false,
  level: SOL_SOCKET,
  name: SO_REUSEADDR,
  length: 4,
  value: Uint8Array.of(on, 0, 0, 0),
});

const isReuse = ({ level, name }: SocketOption): boolean =>
  level === SOL_SOCKET && name === SO_REUSEADDR;

function bind(scope: RestoreScope, record: SocketRecord, fd: Value, address: Uint8Array): void {
  const isUnix = record.value.domain === socketDomains.UNIX;
  const name = isUnix ? unixName(address) : '';
  if (name.startsWith('/')) clearName(scope, record, address);
  const who = isUnix ? 'ss -xlp' : 'ss -tulnp';
  scope.call('descriptors', record, 'bind', [fd, { blob: address }, address.length], {
    what: `bind ${addressText(address)}: when it is in use, see by whom (${who}) and stop that program`,
  });
  if (name.startsWith('/')) dressName(scope, record, name);
}

function open(restoring: Restoring, record: SocketRecord): Value {
  const { scope } = restoring;
  const connection = connectionOf(scope, record);
  checkSocket(record, connection !== undefined);
  const { domain, type, protocol, state, backlog } = record.value;
  const address = addressOf(record, 0, true);
  const options = checkOptions(record, record.arrayOf(SocketOption));
  if (connection !== undefined) {
    const isConnected = state === socketStates.CONNECTED;
    const peer = isConnected ? addressOf(record, 1, false) : noAddress;
    return openConnection(restoring, connection, record, { local: address, peer, options });
  }
  const fd = scope.call('descriptors', record, 'socket', [domain, type, protocol], {
    what: 'a socket',
  });
  const { isTcp } = shapeOf(record.value);
  const reused = options.find(isReuse);
  for (const option of options) if (option.early) setOption(scope, record, fd, option);
  // What old connections have left behind (TIME_WAIT) does not keep a server from its port.
  if (isTcp || reused !== undefined) setOption(scope, record, fd, reuse(1));
  if (address.length > 0) bind(scope, record, fd, address);
  for (const option of options) {
    if (!option.early && !isReuse(option)) setOption(scope, record, fd, option);
  }
  if (state === socketStates.LISTENING) {
    scope.call('descriptors', record, 'listen', [fd, backlog], {
      what: `listen on ${addressText(address)}: when it is in use, stop who uses it (ss -tlnp)`,
    });
  }
  if (state === socketStates.CONNECTED) {
    const peer = addressOf(record, 1, false);
    scope.call('descriptors', record, 'connect', [fd, { blob: peer }, peer.length], {
      what: `connect to ${addressText(peer)}`,
    });
  }
  if (isTcp && reused === undefined) setOption(scope, record, fd, reuse(0));
  return fd;
}

/** Plans sockets: options that bind(2) looks at, the address, the other options, what it does. */
export function restoreSocket(restoring: Restoring, files: readonly ImageRecord<File>[]): void {
  const { scope, place } = restoring;
  const [file] = files;
  if (file === undefined) return;
  const record = scope.document.object(file.value.object, Socket, file);
  const partner = partnerOf(restoring, record);
  if (record.value.peer !== 0) {
    // Both are placed with the one that the other names.
    const named = partner?.value.peer === 0 ? partnerOf(restoring, partner) : undefined;
    if (named === record) return;
    throw record.invalid('peer', `socket ${record.value.peer} is not its other end`);
  }
  if (partner !== undefined) {
    restorePair(restoring, record, partner);
    return;
  }
  const [, second] = files;
  if (second !== undefined) throw second.invalid('object', 'a socket with two descriptions');
  const deserted = record.value.state === socketStates.DESERTED;
  const fd = deserted ? openDeserted(restoring, record) : open(restoring, record);
  setStatus(scope, file, fd);
  place(file, fd);
}

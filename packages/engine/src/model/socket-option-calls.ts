import { SocketFile } from './socket.ts';
import { getTcpOption, setTcpOption } from './tcp-options.ts';
import { AF_UNIX, optionKey, SOL_SOCKET } from './socket-options.ts';
import { refuse, Unmodelled } from './refuse.ts';
import type { Caller, Words } from './system-call.ts';

const SO_TYPE = 3;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SO_BINDTODEVICE = 25;
const SO_GET_FILTER = 26;
const SO_ACCEPTCONN = 30;
const SO_PROTOCOL = 38;
const SO_DOMAIN = 39;
const SO_PEEK_OFF = 42;
const SO_BUF_LOCK = 72;
const SOL_TCP = 6;
const AF_INET6 = 10;
const CAP_NET_ADMIN = 12;
/** net.core.wmem_max and rmem_max, and the least that the kernel gives. */
const bufferMax = 212_992;
const bufferMin = 2304;

function at({ process }: Caller, fd: number): SocketFile {
  const { object } = process.table.file(fd);
  return object instanceof SocketFile ? object : refuse('ENOTSOCK', `descriptor ${fd}`);
}

function wordBytes(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  return bytes;
}

/** A size that the user fixes: twice what is asked for, and never changed by the kernel again. */
function setBuffer({ options }: SocketFile, name: number, value: number, most = bufferMax): void {
  const size = Math.max(Math.min(value, most) * 2, bufferMin);
  options.set(optionKey(SOL_SOCKET, name), wordBytes(size));
  const key = optionKey(SOL_SOCKET, SO_BUF_LOCK);
  const lock = (options.get(key)?.[0] ?? 0) | (name === SO_SNDBUF ? 1 : 2);
  options.set(key, wordBytes(lock));
}

/** SO_SNDBUFFORCE and SO_RCVBUFFORCE, and what they set. */
const forced = new Map([
  [32, SO_SNDBUF],
  [33, SO_RCVBUF],
]);
/** Bytes of the largest value of an option that repairs: some pairs of words. */
const tcpValueMax = 64;

function forceBuffer(caller: Caller, file: SocketFile, name: number, args: Words): number {
  if (!caller.thread.credentials.can(CAP_NET_ADMIN)) refuse('EPERM', 'a buffer of that size');
  const bytes = caller.process.user.read(args.word(3), 4);
  const value = new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, true);
  setBuffer(file, forced.get(name) ?? name, value, Infinity);
  return 0;
}
const peekOffset = optionKey(SOL_SOCKET, SO_PEEK_OFF);

/** SO_MARK, IP_TRANSPARENT: for administrators of the network. */
const privileged = new Set([optionKey(SOL_SOCKET, 36), optionKey(0, 19)]);

export function setsockopt(caller: Caller, args: Words): number {
  const file = at(caller, args.int(0));
  const [level, name] = [args.int(1), args.int(2)];
  const key = optionKey(level, name);
  const length = args.int(4);
  if (level === SOL_TCP && length > 0) {
    const bytes = caller.process.user.read(args.word(3), Math.min(length, tcpValueMax));
    if (setTcpOption(caller, file, name, bytes)) return 0;
  }
  if (level === SOL_SOCKET && forced.has(name)) return forceBuffer(caller, file, name, args);
  if (key === peekOffset && file.kind.domain === AF_UNIX) {
    file.queue.peekOffset = caller.process.user.view(args.word(3), 4).getInt32(0, true);
    return 0;
  }
  const before = file.options.get(key);
  if (before === undefined) throw new Unmodelled(`socket option ${key}`);
  if (length < 1 || (before.length === 4 && level === SOL_SOCKET && length < 4)) refuse('EINVAL');
  if (privileged.has(key) && !caller.thread.credentials.can(CAP_NET_ADMIN)) refuse('EPERM', key);
  const bytes = caller.process.user.read(args.word(3), Math.min(length, before.length));
  if (level === SOL_SOCKET && (name === SO_SNDBUF || name === SO_RCVBUF)) {
    setBuffer(file, name, new DataView(bytes.buffer).getInt32(0, true));
    return 0;
  }
  const value = new Uint8Array(before.length);
  value.set(bytes);
  file.options.set(key, value);
  return 0;
}

/** What a socket tells of itself, and nobody sets. */
function fixed(
  file: SocketFile,
  level: number,
  name: number,
  room: number,
): Uint8Array | undefined {
  if (level === SOL_TCP) return getTcpOption(file, name, room);
  if (level !== SOL_SOCKET) return undefined;
  switch (name) {
    case SO_TYPE:
      return wordBytes(file.kind.type);
    case SO_DOMAIN:
      return wordBytes(file.kind.domain);
    case SO_PROTOCOL:
      return wordBytes(file.kind.protocol);
    case SO_ACCEPTCONN:
      return wordBytes(file.isListening ? 1 : 0);
    case SO_PEEK_OFF:
      return wordBytes(file.queue.peekOffset);
    case SO_BINDTODEVICE:
    case SO_GET_FILTER:
      return new Uint8Array(0);
    default:
      return undefined;
  }
}

export function getsockopt(caller: Caller, args: Words): number {
  const file = at(caller, args.int(0));
  const { user } = caller.process;
  const [level, name] = [args.int(1), args.int(2)];
  const room = user.view(args.word(4), 4).getInt32(0, true);
  if (room < 0) refuse('EINVAL', 'no room');
  const value = fixed(file, level, name, room) ?? file.options.get(optionKey(level, name));
  if (value === undefined) {
    // net/ipv4/ip_sockglue.c and net/unix have another word for a foreign level than IPv6 has.
    const isForeign = level === SOL_TCP && file.tcp === undefined && file.kind.domain !== AF_INET6;
    return refuse(isForeign ? 'EOPNOTSUPP' : 'ENOPROTOOPT', `option ${name} of level ${level}`);
  }
  const given = value.subarray(0, room);
  user.write(args.word(3), given);
  user.putInt(args.word(4), given.length);
  return 0;
}

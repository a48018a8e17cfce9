import { decodeText } from '@ckpt/io';
import { S_IFMT, S_IFSOCK } from './file-system.ts';
import { SocketFile } from './socket.ts';
import { getsockopt, setsockopt } from './socket-option-calls.ts';
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  isInet,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  SOCK_STREAM,
} from './socket-options.ts';
import { connectTcp, lookTcp, openNetfilter, shutdownTcp, tcpCalls } from './tcp-calls.ts';
import { refuse, Unmodelled } from './refuse.ts';
import type { Caller, SystemCalls, Words } from './system-call.ts';

const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const O_RDWR = 2;
/** netlink(7) */
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const NETLINK_NETFILTER = 12;
const CAP_NET_BIND_SERVICE = 10;
/** net.ipv4.ip_unprivileged_port_start */
const portUnprivileged = 1024;
/** net.core.somaxconn */
const backlogMax = 4096;
/** Bytes of struct sockaddr_in, sockaddr_in6 and sockaddr_un. */
const sizes = new Map([
  [AF_INET, 16],
  [AF_INET6, 28],
]);
const unixSizeMax = 110;

function socketAt({ process }: Caller, fd: number): SocketFile {
  const { object } = process.table.file(fd);
  return object instanceof SocketFile ? object : refuse('ENOTSOCK', `descriptor ${fd}`);
}

function socket({ process, thread }: Caller, args: Words): number {
  const [domain, flags, asked] = [args.int(0), args.int(1), args.int(2)];
  const type = flags & 0xf;
  const isNetfilter = domain === AF_NETLINK && type === SOCK_RAW && asked === NETLINK_NETFILTER;
  if (isNetfilter) return openNetfilter({ process, thread }, (flags & SOCK_CLOEXEC) !== 0);
  if (![AF_UNIX, AF_INET, AF_INET6].includes(domain))
    throw new Unmodelled(`socket of domain ${domain}`);
  if (![SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET].includes(type))
    throw new Unmodelled(`socket of type ${type}`);
  const usual = domain === AF_UNIX ? 0 : type === SOCK_STREAM ? 6 : 17;
  if (domain !== AF_UNIX && type === SOCK_SEQPACKET) refuse('ESOCKTNOSUPPORT', 'no such socket');
  if (asked !== 0 && asked !== usual) refuse('EPROTONOSUPPORT', `protocol ${asked}`);
  const object = new SocketFile(process.machine, { domain, type, protocol: usual });
  const status = O_RDWR | (flags & SOCK_NONBLOCK);
  return process.open(object, status, (flags & SOCK_CLOEXEC) !== 0);
}

function socketpair({ process }: Caller, args: Words): number {
  const [domain, flags, protocol] = [args.int(0), args.int(1), args.int(2)];
  const type = flags & 0xf;
  if (domain !== AF_UNIX) refuse('EOPNOTSUPP', `pairs of domain ${domain}`);
  if (![SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET].includes(type)) {
    refuse('ESOCKTNOSUPPORT', 'no such socket');
  }
  if (protocol !== 0) refuse('EPROTONOSUPPORT', `protocol ${protocol}`);
  const make = (): SocketFile => new SocketFile(process.machine, { domain, type, protocol });
  const ends = [make(), make()] as const;
  const status = O_RDWR | (flags & SOCK_NONBLOCK);
  const numbers = ends.map((end) => process.open(end, status, (flags & SOCK_CLOEXEC) !== 0));
  const join = (end: SocketFile, other: SocketFile): void => {
    end.peer = other.address.slice();
    end.partner = other;
  };
  join(ends[0], ends[1]);
  join(ends[1], ends[0]);
  process.user.put(args.word(3), 8, (view) => {
    for (const [index, fd] of numbers.entries()) view.setInt32(index * 4, fd, true);
  });
  return 0;
}

const portOf = (address: Uint8Array): number => ((address[2] ?? 0) << 8) | (address[3] ?? 0);

function withPort(address: Uint8Array, port: number): Uint8Array {
  const bytes = address.slice();
  bytes[2] = port >> 8;
  bytes[3] = port & 0xff;
  return bytes;
}

/** An address as bind(2) and connect(2) are given it. @throws CkptError EINVAL, EAFNOSUPPORT. */
function addressOf({ process }: Caller, args: Words, { kind }: SocketFile): Uint8Array {
  const length = args.size(2);
  const size = sizes.get(kind.domain);
  if (size !== undefined && length < size) refuse('EINVAL', 'too short an address');
  if (size === undefined && (length <= 2 || length > unixSizeMax)) refuse('EINVAL', 'no address');
  const bytes = process.user.read(args.word(1), size ?? length);
  const family = (bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8);
  if (family !== kind.domain) refuse(isInet(kind) ? 'EAFNOSUPPORT' : 'EINVAL', `family ${family}`);
  return bytes;
}

/** Path of a UNIX address; empty for an abstract one. */
const pathOf = (address: Uint8Array): string => decodeText(address.subarray(2));

function bindUnix({ process, thread }: Caller, address: Uint8Array): Uint8Array {
  const path = pathOf(address);
  if (path === '') return address;
  const { files } = process.machine;
  if (files.entry(path) !== undefined) refuse('EADDRINUSE', `${path} is there`);
  const { uid, gid } = thread.credentials;
  const { inode } = files.create(path, 0o777 & ~process.umask, uid.fs, gid.fs);
  inode.stat = { ...inode.stat, mode: (inode.stat.mode & ~S_IFMT) | S_IFSOCK };
  const bytes = new Uint8Array(2 + path.length + 1);
  bytes.set(address.subarray(0, 2 + path.length));
  return bytes;
}

function bind(caller: Caller, args: Words): number {
  const file = socketAt(caller, args.int(0));
  const wanted = addressOf(caller, args, file);
  if (file.isBound) refuse('EINVAL', 'it has an address');
  const { addresses } = caller.process.machine;
  if (!isInet(file.kind)) {
    file.address = bindUnix(caller, wanted);
  } else {
    const port = portOf(wanted);
    const may = caller.thread.credentials.can(CAP_NET_BIND_SERVICE);
    if (port > 0 && port < portUnprivileged && !may) refuse('EACCES', `port ${port}`);
    const free = (number: number): Uint8Array => withPort(wanted, number);
    const address = port === 0 ? addresses.freePort(file, free) : wanted;
    addresses.bind(file, address);
    file.address = address;
  }
  if (!isInet(file.kind)) addresses.bind(file, file.address);
  file.isBound = true;
  return 0;
}

/** Gives it a port that nobody has. */
function bindAnywhere({ process }: Caller, file: SocketFile): void {
  const { addresses } = process.machine;
  file.address = addresses.freePort(file, (port) => withPort(file.address, port));
  addresses.bind(file, file.address);
  file.isBound = true;
}

function listen(caller: Caller, args: Words): number {
  const file = socketAt(caller, args.int(0));
  if (file.kind.type === SOCK_DGRAM) refuse('EOPNOTSUPP', 'it does not listen');
  if (!file.isBound && !isInet(file.kind)) refuse('EINVAL', 'it has no address');
  const { addresses } = caller.process.machine;
  if (!file.isBound) bindAnywhere(caller, file);
  addresses.checkListen(file, file.address);
  const asked = args.unsigned(1);
  file.backlog = Math.min(asked, backlogMax);
  file.isListening = true;
  return 0;
}

function connect(caller: Caller, args: Words): number {
  const file = socketAt(caller, args.int(0));
  const address = addressOf(caller, args, file);
  if (isInet(file.kind)) {
    if (file.kind.type !== SOCK_DGRAM) {
      if (!file.isBound) bindAnywhere(caller, file);
      return connectTcp(caller, file, address);
    }
    file.peer = address;
    return 0;
  }
  const path = pathOf(address);
  const { files, addresses } = caller.process.machine;
  if (path !== '' && files.entry(path) === undefined) refuse('ENOENT', path);
  const end = address.subarray(2).indexOf(0);
  const whole = new Uint8Array(2 + path.length + 1);
  whole.set(address.subarray(0, end < 0 ? address.length : 2 + end));
  const others = addresses.at(file, path === '' ? address : whole);
  if (others.some(({ isListening }) => isListening)) throw new Unmodelled('connection');
  return refuse('ECONNREFUSED', 'nobody serves it');
}

function tellAddress(caller: Caller, args: Words, address: Uint8Array): number {
  const { user } = caller.process;
  const room = user.view(args.word(2), 4).getInt32(0, true);
  if (room < 0) refuse('EINVAL', 'no room');
  user.write(args.word(1), address.subarray(0, room));
  user.putInt(args.word(2), address.length);
  return 0;
}

const MSG_PEEK = 2;
const MSG_TRUNC = 0x20;

/** Looks at what is there; the model takes nothing out. */
function recvfrom(caller: Caller, args: Words): bigint | number {
  const file = socketAt(caller, args.int(0));
  if (file.tcp !== undefined) return lookTcp(caller, args);
  const flags = args.int(3);
  if ((flags & MSG_PEEK) === 0 || args.word(4) !== 0n) throw new Unmodelled('reading of a socket');
  const room = args.size(2);
  const found = file.queue.look(room);
  if (found === undefined) {
    const isEnd = file.isEnded || (file.peer !== undefined && file.partner === undefined);
    return isEnd ? 0 : refuse('EAGAIN', 'nothing is there');
  }
  caller.process.user.write(args.word(1), found.bytes);
  return (flags & MSG_TRUNC) === 0 ? found.bytes.length : found.length;
}

const SHUT_RD = 0;
const SHUT_WR = 1;

function shutdown(caller: Caller, args: Words): number {
  const file = socketAt(caller, args.int(0));
  if (file.tcp !== undefined) return shutdownTcp(caller, args);
  const { partner } = file;
  if (partner === undefined) return refuse('ENOTCONN', 'it is not connected');
  if (file.kind.type === SOCK_DGRAM) throw new Unmodelled('shutdown of datagrams');
  const how = args.int(1);
  if (how !== SHUT_WR) file.isEnded = true;
  if (how !== SHUT_RD) partner.isEnded = true;
  return 0;
}

export const socketCalls: SystemCalls = {
  socket,
  socketpair,
  bind,
  listen,
  connect,
  setsockopt,
  getsockopt,
  ...tcpCalls,
  recvfrom,
  shutdown,
  getsockname: (caller, args) => tellAddress(caller, args, socketAt(caller, args.int(0)).address),
  getpeername: (caller, args) => {
    const { peer } = socketAt(caller, args.int(0));
    return tellAddress(caller, args, peer ?? refuse('ENOTCONN', 'it is not connected'));
  },
};

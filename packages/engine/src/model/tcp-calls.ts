import type { FileStat } from '../file-stat.ts';
import { S_IFSOCK } from './file-system.ts';
import type { FileObject, OpenFile } from './open-file.ts';
import { SocketFile } from './socket.ts';
import { isTcp } from './socket-options.ts';
import { join, tcpStates } from './tcp.ts';
import { refuse, Unmodelled } from './refuse.ts';
import type { Caller, SystemCalls, Words } from './system-call.ts';

const O_RDWR = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const MSG_PEEK_DONTWAIT = 0x42;
const CAP_NET_ADMIN = 12;

/** A socket to nf_tables, which takes whatever it is told. */
class NetfilterFile implements FileObject {
  readonly #inode: bigint;

  constructor(inode: bigint) {
    this.#inode = inode;
  }

  link(): string {
    return `socket:[${this.#inode.toString()}]`;
  }

  stat(): FileStat {
    const none = { nlink: 1, uid: 0, gid: 0, rdev: 0n, size: 0n, mtime: 0n };
    return { ...none, dev: 8n, ino: this.#inode, mode: S_IFSOCK | 0o777 };
  }

  write(_file: OpenFile, bytes: Uint8Array): number {
    return bytes.length;
  }
}

/** connect(2) of a TCP socket: to one that listens in the model, or, while it is repaired, to any. */
export function connectTcp(caller: Caller, file: SocketFile, address: Uint8Array): number {
  const { tcp } = file;
  if (tcp === undefined) throw new Unmodelled('connection');
  if (tcp.isConnected) refuse('EISCONN', 'it is connected');
  if (tcp.isRepaired) {
    file.peer = address;
    tcp.state = tcpStates.ESTABLISHED;
    return 0;
  }
  const { machine } = caller.process;
  const listener = machine.addresses.at(file, address).find(({ isListening }) => isListening);
  if (listener === undefined) return refuse('ECONNREFUSED', 'nobody serves it');
  const other = new SocketFile(machine, listener.kind);
  if (other.tcp === undefined) throw new Error('a listener without TCP');
  file.peer = address;
  other.peer = file.address;
  other.address = address;
  join(tcp, other.tcp);
  listener.waiting.push(other);
  return 0;
}

function socketAt({ process }: Caller, fd: number): SocketFile {
  const { object } = process.table.file(fd);
  return object instanceof SocketFile ? object : refuse('ENOTSOCK', `descriptor ${fd}`);
}

function accept4(caller: Caller, args: Words): number {
  const file = socketAt(caller, args.int(0));
  if (!isTcp(file.kind)) throw new Unmodelled('accept4 of another socket');
  if (!file.isListening) refuse('EINVAL', 'it does not listen');
  const other = file.waiting.shift() ?? refuse('EAGAIN', 'nobody waits');
  const flags = args.int(3);
  return caller.process.open(other, O_RDWR | (flags & SOCK_NONBLOCK), (flags & SOCK_CLOEXEC) !== 0);
}

/** Only to look at what is there. */
export function lookTcp(caller: Caller, args: Words): number {
  const { tcp } = socketAt(caller, args.int(0));
  const isLook = (args.int(3) & MSG_PEEK_DONTWAIT) === MSG_PEEK_DONTWAIT;
  if (tcp === undefined || !isLook) throw new Unmodelled('recvfrom');
  const bytes = tcp.peek().subarray(0, args.size(2));
  if (bytes.length === 0 && !tcp.isReadEnded) refuse('EAGAIN', 'nothing is there');
  caller.process.user.write(args.word(1), bytes);
  return bytes.length;
}

/** shutdown(2) of a TCP socket. */
export function shutdownTcp(caller: Caller, args: Words): number {
  const { tcp } = socketAt(caller, args.int(0));
  if (tcp === undefined) throw new Unmodelled('shutdown');
  tcp.shutdown(args.int(1));
  return 0;
}

/** netlink(7): for administrators of the network. */
export function openNetfilter({ process, thread }: Caller, isCloexec: boolean): number {
  if (!thread.credentials.can(CAP_NET_ADMIN)) throw new Unmodelled('a socket to nf_tables');
  return process.open(new NetfilterFile(process.machine.nextInode()), O_RDWR, isCloexec);
}

export const tcpCalls: SystemCalls = { accept4 };

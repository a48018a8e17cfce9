import type { FileStat } from '../file-stat.ts';
import { S_IFSOCK } from './file-system.ts';
import type { Machine } from './machine.ts';
import type { FileObject, OpenFile } from './open-file.ts';
import {
  AF_UNIX,
  firstOptions,
  isInet,
  isTcp,
  optionKey,
  SOCK_DGRAM,
  SOL_SOCKET,
  type SocketKind,
} from './socket-options.ts';
import { SocketQueue } from './socket-queue.ts';
import { Tcp } from './tcp.ts';
import { refuse, Unmodelled } from './refuse.ts';
import type { Caller, Words } from './system-call.ts';

const FIONREAD = 0x541b;
const SIOCOUTQ = 0x5411;
const SIOCOUTQNSD = 0x894b;
const SO_LINGER = 13;
/** poll(2) */
const POLLIN = 0x41;
const POLLRDHUP = 0x2000;
const POLLOUT = 4;
const POLLHUP = 0x10;
const POLLWRNORM = 0x100;
const POLLWRBAND = 0x200;
/** The other end was closed: POLLIN, POLLOUT, POLLHUP, POLLRDHUP and their like. */
const deserted = 0x2155;

/** A socket. Only TCP has connections with contents. */
export class SocketFile implements FileObject {
  readonly kind: SocketKind;
  /** By `optionKey`. */
  readonly options: Map<string, Uint8Array>;
  /** Local address; a UNIX socket without one has its family alone. */
  address: Uint8Array;
  peer: Uint8Array | undefined;
  /** The other end of a pair; undefined also when that was closed. */
  partner: SocketFile | undefined;
  /** What the other end of a pair has sent. */
  readonly queue: SocketQueue;
  /** shutdown(2): nothing more comes in; the other end cannot send. */
  isEnded = false;
  isBound = false;
  isListening = false;
  backlog = 0;
  /** Connections that wait for accept(2). */
  readonly waiting: SocketFile[] = [];
  /** Of a TCP socket. */
  readonly tcp: Tcp | undefined;
  readonly machine: Machine;
  readonly inode: bigint;

  constructor(machine: Machine, kind: SocketKind) {
    this.machine = machine;
    this.kind = kind;
    this.queue = new SocketQueue(kind);
    this.options = firstOptions(kind);
    this.inode = machine.nextInode();
    this.tcp = isTcp(kind) ? new Tcp(this) : undefined;
    const size = kind.domain === AF_UNIX ? 2 : isInet(kind) && kind.domain === 2 ? 16 : 28;
    this.address = new Uint8Array(size);
    this.address[0] = kind.domain;
  }

  link(): string {
    return `socket:[${this.inode.toString()}]`;
  }

  stat(): FileStat {
    const none = { nlink: 1, uid: 0, gid: 0, rdev: 0n, size: 0n, mtime: 0n };
    return { ...none, dev: 8n, ino: this.inode, mode: S_IFSOCK | 0o777 };
  }

  /** True for an option of SOL_SOCKET that is on. */
  flag(name: number): boolean {
    return this.options.get(optionKey(SOL_SOCKET, name))?.some((byte) => byte !== 0) === true;
  }

  lines(): string {
    return this.kind.domain === AF_UNIX ? 'scm_fds: 0\n' : '';
  }

  poll(): number {
    if (this.isListening) return 0;
    const isUsed = this.tcp?.isConnected === true || this.tcp?.isReadEnded === true;
    if (this.tcp !== undefined && isUsed) return this.tcp.poll();
    const isDeserted = this.peer !== undefined && this.kind.domain === AF_UNIX;
    if (isDeserted && this.partner === undefined) return deserted;
    const writable = POLLOUT | POLLWRNORM | (isTcp(this.kind) ? 0 : POLLWRBAND);
    const connects = this.kind.type !== SOCK_DGRAM;
    const input = this.isEnded ? POLLIN | POLLRDHUP : this.queue.isEmpty ? 0 : POLLIN;
    const isShut = this.isEnded && this.partner?.isEnded === true;
    const hangup = isShut || (connects && this.peer === undefined) ? POLLHUP : 0;
    return writable | input | hangup;
  }

  write(_file: OpenFile, bytes: Uint8Array): number {
    if (this.tcp !== undefined) return this.tcp.write(bytes);
    if (this.kind.domain !== AF_UNIX) throw new Unmodelled('write to a socket');
    if (this.partner === undefined) return refuse('EPIPE', 'nobody reads');
    if (this.partner.isEnded) refuse('EPIPE', 'it was shut down');
    return this.partner.queue.add(bytes);
  }

  ioctl({ process }: Caller, _file: OpenFile, args: Words): number {
    if (this.isListening) refuse('EINVAL', 'it listens');
    process.user.putInt(args.word(2), this.#bytesOf(args.unsigned(1)));
    return 0;
  }

  /** What is in a queue; a FIN counts as a byte, and is sent behind all others. */
  #bytesOf(request: number): number {
    const { tcp } = this;
    const fin = tcp?.isWriteEnded === true ? 1 : 0;
    const unsent = tcp?.unsent.length ?? 0;
    if (request === FIONREAD) return tcp?.received.length ?? this.queue.unread;
    if (request === SIOCOUTQ && tcp !== undefined) return tcp.sent.length + unsent + fin;
    if (request === SIOCOUTQNSD) return unsent === 0 ? 0 : unsent + fin;
    throw new Unmodelled('ioctl of a socket');
  }

  release(): void {
    if (this.partner !== undefined) this.partner.partner = undefined;
    this.tcp?.release(this.flag(SO_LINGER));
    if (this.isBound) this.machine.addresses.release(this, this.address);
  }
}

import type { FileStat } from '../host.ts';
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
import { refuse, Unmodelled, type Caller, type Words } from './system-call.ts';

const FIONREAD = 0x541b;
/** poll(2) */
const POLLOUT = 4;
const POLLHUP = 0x10;
const POLLWRNORM = 0x100;
const POLLWRBAND = 0x200;
/** The other end was closed: POLLIN, POLLOUT, POLLHUP, POLLRDHUP and their like. */
const deserted = 0x2155;

/** A socket that talks to nobody. */
export class SocketFile implements FileObject {
  readonly kind: SocketKind;
  /** By `optionKey`. */
  readonly options: Map<string, Uint8Array>;
  /** Local address; a UNIX socket without one has its family alone. */
  address: Uint8Array;
  peer: Uint8Array | undefined;
  /** The other end of a pair; undefined also when that was closed. */
  partner: SocketFile | undefined;
  isBound = false;
  isListening = false;
  backlog = 0;
  readonly machine: Machine;
  readonly inode: bigint;

  constructor(machine: Machine, kind: SocketKind) {
    this.machine = machine;
    this.kind = kind;
    this.options = firstOptions(kind);
    this.inode = machine.nextInode();
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
    const isDeserted = this.peer !== undefined && this.kind.domain === AF_UNIX;
    if (isDeserted && this.partner === undefined) return deserted;
    const writable = POLLOUT | POLLWRNORM | (isTcp(this.kind) ? 0 : POLLWRBAND);
    const connects = this.kind.type !== SOCK_DGRAM;
    return writable | (connects && this.peer === undefined ? POLLHUP : 0);
  }

  ioctl({ process }: Caller, _file: OpenFile, args: Words): number {
    if (args.unsigned(1) !== FIONREAD) throw new Unmodelled('ioctl of a socket');
    if (this.isListening) refuse('EINVAL', 'it listens');
    process.user.putInt(args.word(2), 0);
    return 0;
  }

  /** struct tcp_info (linux/tcp.h): state, and of a listening socket who waits and how many may. */
  tcpInfo(length: number): Uint8Array {
    const bytes = new Uint8Array(Math.max(length, 32));
    const view = new DataView(bytes.buffer);
    if (!isTcp(this.kind)) refuse('EOPNOTSUPP', 'it is no TCP socket');
    bytes[0] = this.isListening ? 10 : 7;
    view.setUint32(28, this.backlog, true);
    return bytes;
  }

  release(): void {
    if (this.partner !== undefined) this.partner.partner = undefined;
    if (this.isBound) this.machine.addresses.release(this, this.address);
  }
}

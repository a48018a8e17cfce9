import { closeSync } from 'node:fs';
import type { UnixQueue } from '@ckpt/engine';
import { address, stableBytes, syscall, trySyscall } from './syscall.ts';

/** sock_diag(7), linux/unix_diag.h, linux/netlink.h */
const AF_UNIX = 1;
const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const NETLINK_SOCK_DIAG = 4;
const SOCK_DIAG_BY_FAMILY = 20;
const NLM_F_REQUEST = 1;
const UDIAG_SHOW_PEER = 4;
const UDIAG_SHOW_RQLEN = 0x10;
const UNIX_DIAG_PEER = 2;
const UNIX_DIAG_RQLEN = 4;

/** struct nlmsghdr, then struct unix_diag_req or struct unix_diag_msg. */
const headerSize = 16;
const requestSize = headerSize + 24;
const messageSize = headerSize + 16;

function request(inode: bigint, show: number): Buffer {
  const bytes = stableBytes(requestSize);
  bytes.writeUInt32LE(requestSize, 0);
  bytes.writeUInt16LE(SOCK_DIAG_BY_FAMILY, 4);
  bytes.writeUInt16LE(NLM_F_REQUEST, 6);
  bytes.writeUInt8(AF_UNIX, headerSize);
  bytes.writeUInt32LE(0xffff_ffff, headerSize + 4); // in any state
  bytes.writeUInt32LE(Number(inode), headerSize + 8);
  bytes.writeUInt32LE(show, headerSize + 12);
  bytes.fill(0xff, headerSize + 16); // no cookie
  return bytes;
}

/**
 * Attributes follow the message: u16 length, u16 type, content, padded to four bytes. An empty content
 * for one that is not there; undefined where the kernel does not know the socket.
 */
function attribute(answer: Buffer, type: number): Buffer | undefined {
  if (answer.length < messageSize || answer.readUInt16LE(4) !== SOCK_DIAG_BY_FAMILY)
    return undefined;
  const end = Math.min(answer.readUInt32LE(0), answer.length);
  for (let at = messageSize; at + 8 <= end;) {
    const length = answer.readUInt16LE(at);
    if (answer.readUInt16LE(at + 2) === type) return answer.subarray(at + 4, at + length);
    at += Math.max(4, (length + 3) & ~3);
  }
  return answer.subarray(0, 0);
}

function ask(inode: bigint, show: number, type: number): Buffer | undefined {
  const fd = trySyscall('socket', AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_SOCK_DIAG);
  if (fd < 0) return undefined;
  try {
    const message = request(inode, show);
    const answer = stableBytes(4096);
    if (trySyscall('write', fd, address(message), message.length) < 0) return undefined;
    return attribute(answer.subarray(0, syscall('read', fd, address(answer), answer.length)), type);
  } finally {
    closeSync(fd);
  }
}

/** Inode of the socket at the other end of a UNIX socket; 0: none; undefined: the kernel does not say. */
export function unixPeer(inode: bigint): bigint | undefined {
  const peer = ask(inode, UDIAG_SHOW_PEER, UNIX_DIAG_PEER);
  if (peer === undefined) return undefined;
  return peer.length < 4 ? 0n : BigInt(peer.readUInt32LE(0));
}

/** Who waits at a listening UNIX socket; undefined: the kernel does not say. */
export function unixQueue(inode: bigint): UnixQueue | undefined {
  const queue = ask(inode, UDIAG_SHOW_RQLEN, UNIX_DIAG_RQLEN);
  if (queue === undefined || queue.length < 8) return undefined;
  return { waiting: queue.readUInt32LE(0), backlog: queue.readUInt32LE(4) };
}

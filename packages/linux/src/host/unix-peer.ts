import { closeSync } from 'node:fs';
import { address, stableBytes, syscall, trySyscall } from './syscall.ts';

/** sock_diag(7), linux/unix_diag.h, linux/netlink.h */
const AF_UNIX = 1;
const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const NETLINK_SOCK_DIAG = 4;
const SOCK_DIAG_BY_FAMILY = 20;
const NLM_F_REQUEST = 1;
const UDIAG_SHOW_PEER = 4;
const UNIX_DIAG_PEER = 2;

/** struct nlmsghdr, then struct unix_diag_req or struct unix_diag_msg. */
const headerSize = 16;
const requestSize = headerSize + 24;
const messageSize = headerSize + 16;

function request(inode: bigint): Buffer {
  const bytes = stableBytes(requestSize);
  bytes.writeUInt32LE(requestSize, 0);
  bytes.writeUInt16LE(SOCK_DIAG_BY_FAMILY, 4);
  bytes.writeUInt16LE(NLM_F_REQUEST, 6);
  bytes.writeUInt8(AF_UNIX, headerSize);
  bytes.writeUInt32LE(0xffff_ffff, headerSize + 4); // in any state
  bytes.writeUInt32LE(Number(inode), headerSize + 8);
  bytes.writeUInt32LE(UDIAG_SHOW_PEER, headerSize + 12);
  bytes.fill(0xff, headerSize + 16); // no cookie
  return bytes;
}

/** Attributes follow the message: u16 length, u16 type, content, padded to four bytes. */
function peerOf(answer: Buffer): bigint | undefined {
  if (answer.length < messageSize || answer.readUInt16LE(4) !== SOCK_DIAG_BY_FAMILY)
    return undefined;
  const end = Math.min(answer.readUInt32LE(0), answer.length);
  for (let at = messageSize; at + 8 <= end;) {
    const length = answer.readUInt16LE(at);
    if (answer.readUInt16LE(at + 2) === UNIX_DIAG_PEER) return BigInt(answer.readUInt32LE(at + 4));
    at += Math.max(4, (length + 3) & ~3);
  }
  return 0n;
}

/** Inode of the socket at the other end of a UNIX socket; 0: none; undefined: the kernel does not say. */
export function unixPeer(inode: bigint): bigint | undefined {
  const fd = trySyscall('socket', AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_SOCK_DIAG);
  if (fd < 0) return undefined;
  try {
    const message = request(inode);
    const answer = stableBytes(4096);
    if (trySyscall('write', fd, address(message), message.length) < 0) return undefined;
    return peerOf(answer.subarray(0, syscall('read', fd, address(answer), answer.length)));
  } finally {
    closeSync(fd);
  }
}

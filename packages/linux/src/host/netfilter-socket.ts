import { closeSync } from 'node:fs';
import { CkptError } from '@ckpt/format';
import { isFilterOf, listFilters, removeFilter } from '../netfilter/filter.ts';
import { readAnswers } from '../netfilter/netlink.ts';
import { address, failure, stableBytes, syscall, trySyscall } from './syscall.ts';

/** netlink(7), linux/netlink.h, socket(7) */
export const netfilterSocket = [16, 3 | 0o2000000, 12] as const;
const MSG_DONTWAIT = 0x40;
const EAGAIN = -11;

/** A socket to nf_tables: tables that it owns live as long as it. */
export class NetfilterSocket {
  readonly fd = syscall('socket', ...netfilterSocket);

  /** Sends messages. @throws CkptError EPERM, EOPNOTSUPP and what else nf_tables says. */
  send(messages: Uint8Array): void {
    const bytes = stableBytes(messages.length);
    bytes.set(messages);
    syscall('write', this.fd, address(bytes), bytes.length);
    // nf_tables has answered before write(2) comes back.
    const error = this.#answers();
    if (error !== 0) throw failure(-error, 'setting up a packet filter (nf_tables)');
  }

  /** Names of all tables. @throws CkptError EPERM and what else nf_tables says. */
  names(): readonly string[] {
    const request = stableBytes(64);
    const messages = listFilters();
    request.set(messages);
    syscall('write', this.fd, address(request), messages.length);
    const room = stableBytes(1 << 16);
    const all: string[] = [];
    for (;;) {
      const size = syscall('read', this.fd, address(room), room.length);
      const { error, names, isEnd } = readAnswers(room.subarray(0, size));
      if (error !== 0) throw failure(-error, 'listing packet filters (nf_tables)');
      all.push(...names);
      if (isEnd) return all;
    }
  }

  #answers(): number {
    const room = stableBytes(1 << 16);
    let first = 0;
    for (;;) {
      const size = trySyscall('recvfrom', this.fd, address(room), room.length, MSG_DONTWAIT, 0, 0);
      if (size === EAGAIN || size === 0) return first;
      if (size < 0) return size;
      first ||= readAnswers(room.subarray(0, size)).error;
    }
  }

  close(): void {
    closeSync(this.fd);
  }
}

/**
 * Takes the packet filters away that hold connections of a process which was killed, and will not
 * be restarted.
 * @returns Their names.
 * @throws CkptError ENOENT when there is none, EPERM without CAP_NET_ADMIN.
 */
export function releaseConnections(pid: number): readonly string[] {
  const socket = new NetfilterSocket();
  try {
    const names = socket.names().filter((name) => isFilterOf(pid, name));
    if (names.length === 0) {
      throw new CkptError('ENOENT', `no packet filter holds connections of process ${pid}`);
    }
    for (const name of names) socket.send(removeFilter(name));
    return names;
  } finally {
    socket.close();
  }
}

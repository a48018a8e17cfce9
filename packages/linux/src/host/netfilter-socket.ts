import { closeSync } from 'node:fs';
import { errorIn } from '../netfilter/netlink.ts';
import { address, failure, stableBytes, syscall, trySyscall } from './syscall.ts';

/** netlink(7), linux/netlink.h, socket(7) */
export const netfilterSocket = [16, 3 | 0o2000000, 12] as const;
const MSG_DONTWAIT = 0x40;
const EAGAIN = -11;

/** A socket to nf_tables: tables that it owns live as long as it. */
export class NetfilterSocket {
  readonly #fd = syscall('socket', ...netfilterSocket);

  /** Sends messages. @throws CkptError EPERM, EOPNOTSUPP and what else nf_tables says. */
  send(messages: Uint8Array): void {
    const bytes = stableBytes(messages.length);
    bytes.set(messages);
    syscall('write', this.#fd, address(bytes), bytes.length);
    // nf_tables has answered before write(2) comes back.
    const error = this.#answers();
    if (error !== 0) throw failure(-error, 'setting up a packet filter (nf_tables)');
  }

  #answers(): number {
    const room = stableBytes(1 << 16);
    let first = 0;
    for (;;) {
      const size = trySyscall('recvfrom', this.#fd, address(room), room.length, MSG_DONTWAIT, 0, 0);
      if (size === EAGAIN || size === 0) return first;
      if (size < 0) return size;
      first ||= errorIn(room.subarray(0, size));
    }
  }

  close(): void {
    closeSync(this.#fd);
  }
}

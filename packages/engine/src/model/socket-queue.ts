import { SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM, type SocketKind } from './socket-options.ts';
import { refuse } from './refuse.ts';

/** Bytes; net.core.wmem_default. */
const capacity = 212_992;

/** What was sent to an end of a pair and not read: packets, or one run of bytes. */
export class SocketQueue {
  readonly #kind: SocketKind;
  #messages: Uint8Array[] = [];
  /** SO_PEEK_OFF: bytes that a look passes over; -1: looks always begin at the front. */
  peekOffset = -1;

  constructor(kind: SocketKind) {
    this.#kind = kind;
  }

  get isEmpty(): boolean {
    return this.#messages.length === 0;
  }

  /** FIONREAD: of datagrams the next one alone. */
  get unread(): number {
    const all = this.#kind.type === SOCK_DGRAM ? this.#messages.slice(0, 1) : this.#messages;
    return all.reduce((sum, { length }) => sum + length, 0);
  }

  add(bytes: Uint8Array): number {
    const used = this.#messages.reduce((sum, { length }) => sum + length, 0);
    if (used + bytes.length > capacity) refuse('EAGAIN', 'no room');
    const last = this.#messages.at(-1);
    if (this.#kind.type === SOCK_STREAM && last !== undefined) {
      this.#messages = [Uint8Array.of(...last, ...bytes)];
    } else this.#messages.push(bytes.slice());
    return bytes.length;
  }

  /** recvfrom(2) with MSG_PEEK; undefined when there is nothing more. */
  look(room: number): { readonly bytes: Uint8Array; readonly length: number } | undefined {
    let skip = Math.max(this.peekOffset, 0);
    const isPacket = [SOCK_DGRAM, SOCK_SEQPACKET].includes(this.#kind.type);
    for (const message of this.#messages) {
      if (skip >= message.length) {
        skip -= message.length;
        continue;
      }
      const bytes = message.subarray(skip, skip + room);
      if (this.peekOffset >= 0) this.peekOffset += bytes.length;
      return { bytes, length: isPacket ? message.length - skip : bytes.length };
    }
    return undefined;
  }
}

import type { SocketFile } from './socket.ts';
import { optionKey, SOL_SOCKET } from './socket-options.ts';
import { refuse } from './refuse.ts';

/** linux/tcp_states.h */
export const tcpStates = {
  ESTABLISHED: 1,
  FIN_WAIT1: 4,
  CLOSE: 7,
  CLOSE_WAIT: 8,
  LAST_ACK: 9,
  LISTEN: 10,
} as const;

/** Values of TCP_REPAIR_QUEUE. */
export const queues = { none: 0, receive: 1, send: 2 } as const;

const SO_REUSEADDR = 2;
/** poll(2) */
const [POLLIN, POLLOUT, POLLERR, POLLHUP, POLLRDHUP] = [0x41, 0x104, 8, 0x10, 0x2000];
/** tcpi_options: timestamps, SACK, window scaling. */
const allOptions = 7;
const windowSize = 20;

function append(before: Uint8Array, more: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(before.length + more.length);
  bytes.set(before);
  bytes.set(more, before.length);
  return bytes;
}

/** A TCP connection, or what becomes one by repair (TCP_REPAIR). */
export class Tcp {
  readonly socket: SocketFile;
  state: number = tcpStates.CLOSE;
  /** Mode and queue of repair. */
  isRepaired = false;
  queue: number = queues.none;
  /** write_seq and rcv_nxt of the kernel. */
  sendNext = 0;
  receiveNext = 0;
  received: Uint8Array = new Uint8Array(0);
  sent: Uint8Array = new Uint8Array(0);
  unsent: Uint8Array = new Uint8Array(0);
  options = allOptions;
  mss = 536;
  scales = 0x77;
  timestamp = 1;
  window: Uint8Array = new Uint8Array(windowSize);
  isReadEnded = false;
  isWriteEnded = false;
  isBroken = false;
  /** The other end, where that is inside of the model. */
  other: Tcp | undefined;

  constructor(socket: SocketFile) {
    this.socket = socket;
  }

  get isConnected(): boolean {
    return this.state !== tcpStates.CLOSE;
  }

  /** TCP_REPAIR: as the kernel does it, SO_REUSEADDR is forced, and off at its end. */
  setRepair(isOn: boolean): void {
    this.isRepaired = isOn;
    if (isOn) this.queue = queues.none;
    const reuse = Uint8Array.of(isOn ? 2 : 0, 0, 0, 0);
    this.socket.options.set(optionKey(SOL_SOCKET, SO_REUSEADDR), reuse);
  }

  write(bytes: Uint8Array): number {
    if (!this.isConnected || this.isWriteEnded) refuse('EPIPE', 'it is not connected');
    if (this.isRepaired && this.queue === queues.none) refuse('EINVAL', 'no queue to repair');
    if (this.isRepaired && this.queue === queues.receive) this.#receive(bytes);
    else this.#send(bytes);
    return bytes.length;
  }

  #receive(bytes: Uint8Array): void {
    this.received = append(this.received, bytes);
    this.receiveNext = (this.receiveNext + bytes.length) >>> 0;
  }

  #send(bytes: Uint8Array): void {
    this.sendNext = (this.sendNext + bytes.length) >>> 0;
    if (this.isRepaired) this.sent = append(this.sent, bytes);
    else if (this.other !== undefined) this.other.#receive(bytes);
    else this.unsent = append(this.unsent, bytes);
  }

  /** What is in the queue that is being looked at. */
  peek(): Uint8Array {
    const isSend = this.isRepaired && this.queue === queues.send;
    return isSend ? append(this.sent, this.unsent) : this.received;
  }

  /** shutdown(2) */
  shutdown(how: number): void {
    if (!this.isConnected) refuse('ENOTCONN', 'it is not connected');
    if (how !== 1) this.isReadEnded = true;
    if (how === 0 || this.isWriteEnded) return;
    this.isWriteEnded = true;
    // A FIN counts as a byte.
    this.sendNext = (this.sendNext + 1) >>> 0;
    if (this.state === tcpStates.ESTABLISHED) this.state = tcpStates.FIN_WAIT1;
    // Whoever has closed acknowledges at once.
    else if (this.state === tcpStates.CLOSE_WAIT) this.#end();
  }

  #end(): void {
    this.state = tcpStates.CLOSE;
    this.isReadEnded = this.isWriteEnded = true;
    this.socket.peer = undefined;
  }

  /** The last descriptor is closed; `isReset`: with a reset (SO_LINGER). */
  release(isReset: boolean): void {
    const { other } = this;
    if (other === undefined) return;
    other.other = undefined;
    other.isReadEnded = true;
    other.receiveNext = (other.receiveNext + 1) >>> 0;
    other.isBroken = isReset;
    if (isReset) other.#end();
    else other.state = tcpStates.CLOSE_WAIT;
  }

  poll(): number {
    const readable = this.received.length > 0 || this.isReadEnded ? POLLIN : 0;
    const ended = (this.isReadEnded ? POLLRDHUP : 0) | (this.isBroken ? POLLERR : 0);
    const both = this.isReadEnded && this.isWriteEnded ? POLLHUP : 0;
    return POLLOUT | readable | ended | both;
  }
}

/** Joins two ends inside of the model. */
export function join(one: Tcp, two: Tcp): void {
  for (const [end, other] of [
    [one, two],
    [two, one],
  ] as const) {
    end.state = tcpStates.ESTABLISHED;
    end.other = other;
    end.sendNext = 1000;
    end.receiveNext = 1000;
  }
}

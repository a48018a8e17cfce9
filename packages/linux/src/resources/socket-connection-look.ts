import type { Answer, Call, CheckpointScope } from '@ckpt/engine';
import { CkptError, tcpStates, type SocketInet } from '@ckpt/format';
import type { Description } from './descriptor.ts';
import { getOption, optionValue } from './socket-options.ts';
import {
  FIONREAD,
  IPPROTO_TCP,
  MSG_DONTWAIT,
  MSG_PEEK,
  queues,
  setNumber,
  SIOCOUTQ,
  SIOCOUTQNSD,
  TCP_INFO,
  TCP_MAXSEG,
  TCP_QUEUE_SEQ,
  TCP_REPAIR_QUEUE,
  TCP_REPAIR_WINDOW,
  TCP_TIMESTAMP,
} from './socket-tcp.ts';

const own = -1000;
/** Bytes that may come in between the question how many there are, and the look at them. */
export const slack = 1 << 16;
const word = (answer: Answer | undefined): number => {
  const bytes = answer?.result === 0n ? answer.out[0] : undefined;
  return bytes === undefined ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
};

/** Bytes that a look at a queue has found. */
export function found(answer: Answer | undefined): Uint8Array {
  const length = Number(answer?.result ?? -1n);
  // EAGAIN: it is empty.
  return length <= 0 ? new Uint8Array(0) : (answer?.out[0] ?? new Uint8Array(0)).slice(0, length);
}

const ioctl = (request: number): Call => ({ call: 'ioctl', args: [own, request, { out: 4 }] });

export const peek = (size: number): Call => ({
  call: 'recvfrom',
  args: [own, { out: size }, size, MSG_PEEK | MSG_DONTWAIT, 0, 0],
});

export const ask = (name: number, size = 4): Call => getOption(IPPROTO_TCP, name, size);
const queue = (number: number): Call => setNumber(own, IPPROTO_TCP, TCP_REPAIR_QUEUE, number);

/** What is asked of a connection in repair mode; {@link look} takes the answers in this order. */
const repairCalls = (received: number, sent: number): readonly Call[] => [
  queue(queues.receive),
  ask(TCP_QUEUE_SEQ),
  ioctl(FIONREAD),
  peek(received),
  ask(TCP_QUEUE_SEQ),
  queue(queues.send),
  ask(TCP_QUEUE_SEQ),
  peek(sent),
  queue(queues.none),
  ioctl(SIOCOUTQNSD),
  ask(TCP_MAXSEG),
  ask(TCP_TIMESTAMP),
  ask(TCP_REPAIR_WINDOW, 20),
  ask(TCP_INFO, 104),
];

/** Our end has sent its FIN, which counts as a byte of the sequence. */
export const closedByUs: readonly number[] = [
  tcpStates.FIN_WAIT1,
  tcpStates.FIN_WAIT2,
  tcpStates.CLOSING,
  tcpStates.LAST_ACK,
];

/** What was received, sent and not acknowledged, not sent; and whether none of it came meanwhile. */
interface Look {
  readonly contents: readonly Uint8Array[];
  readonly isWhole: boolean;
  readonly record: Partial<SocketInet>;
}

/**
 * Looks at all there is of a connection at one time.
 * @throws CkptError as the host, where there is no repair mode.
 */
export function look(scope: CheckpointScope, { fd }: Description): Look {
  const { frozen, task } = scope;
  const [unread, unsentSize] = frozen.probe(task, fd, [ioctl(FIONREAD), ioctl(SIOCOUTQ)]);
  const calls = repairCalls(word(unread) + slack, word(unsentSize) + slack);
  const answers = frozen.repair?.(task, fd, calls);
  if (answers === undefined) throw new CkptError('ENOSYS', 'this host has no repair mode');
  const [, before, pending, receiving, after, , ending, sending, , notSent, ...more] = answers;
  const [mss, timestamp, window, info] = more;
  const facts = optionValue(info) ?? new Uint8Array(104);
  const state = facts[0] ?? 0;
  const fin = closedByUs.includes(state) ? 1 : 0;
  const received = found(receiving);
  const queued = found(sending);
  const sent = Math.max(0, Math.min(queued.length, queued.length + fin - word(notSent)));
  const [wl1 = 0, wnd = 0, max = 0, rcvWnd = 0, rcvWup = 0] = wordsOf(
    optionValue(window) ?? new Uint8Array(20),
  );
  return {
    isWhole: word(before) === word(after) && received.length === word(pending),
    contents: [received, queued.subarray(0, sent), queued.subarray(sent)],
    record: {
      ...{ state, mss: word(mss), timestamp: word(timestamp) },
      options: facts[5] ?? 0,
      send_scale: (facts[6] ?? 0) & 15,
      receive_scale: (facts[6] ?? 0) >> 4,
      send_sequence: (word(ending) - fin - queued.length) >>> 0,
      receive_sequence: (word(after) - received.length) >>> 0,
      ...{ received: received.length, sent, unsent: queued.length - sent },
      ...{ send_window_update: wl1, send_window: wnd, send_window_max: max },
      ...{ receive_window: rcvWnd, receive_window_update: rcvWup },
    },
  };
}

function wordsOf(bytes: Uint8Array): readonly number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length >> 2 }, (_, index) => view.getUint32(index * 4, true));
}

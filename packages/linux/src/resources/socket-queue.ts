import type { Answer, Call, CheckpointScope, ImageRecord } from '@ckpt/engine';
import { SocketMessage, socketTypes, type Socket } from '@ckpt/format';
import { fieldOf } from '../procfs/fdinfo.ts';
import type { Description, Restoring } from './descriptor.ts';
import type { SocketFacts } from './socket-facts.ts';
import { getOption, optionNumber } from './socket-options.ts';
import { SOL_SOCKET } from './socket-option-table.ts';

/** poll(2) */
const POLLIN = 1;
const POLLRDHUP = 0x2000;
/** recv(2), socket(7) */
const MSG_PEEK = 2;
const MSG_TRUNC = 0x20;
const MSG_DONTWAIT = 0x40;
const SO_PEEK_OFF = 42;
/** Packets that are looked at; net.unix.max_dgram_qlen is 10. */
const packetsMax = 12;
/** Bytes of one. All of them are looked at in one resume, which undoes SO_PEEK_OFF by itself. */
const packetMax = 1 << 15;
/** Bytes and messages that an image may have for one socket. */
const bytesMax = 1 << 26;
const messagesMax = 1 << 16;

/** What a UNIX socket has that was not read. */
export interface Queue {
  readonly messages: readonly SocketMessage[];
  /** Nothing more comes: shutdown(2) of this end for reading, or of the other for writing. */
  readonly isEnded: boolean;
}

/** Why it cannot be carried. */
export interface QueueObstacle {
  readonly reason: string;
  readonly remedy: string;
}

const obstacle = (reason: string): QueueObstacle => ({
  reason,
  remedy: 'checkpoint when everything was read that was sent through it',
});

const word = (value: number): Uint8Array => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  return bytes;
};

const look = (fd: number, size: number): Call => ({
  call: 'recvfrom',
  args: [fd, { out: size }, size, MSG_PEEK | MSG_DONTWAIT | MSG_TRUNC, 0, 0],
});

/** Bytes of a stream; undefined when not all of them could be seen. */
function peekStream(
  { frozen, task }: CheckpointScope,
  { fd }: Description,
  unread: number,
): readonly Uint8Array[] | undefined {
  if (unread === 0) return [];
  const [answer] = frozen.probe(task, fd, [look(-1000, unread)]);
  const [bytes] = answer?.out ?? [];
  return answer?.result === BigInt(unread) && bytes !== undefined ? [bytes] : undefined;
}

/** Packets up to the first answer that is none; undefined when there are too many, or too large. */
function packetsIn(answers: readonly Answer[], unread: number): readonly Uint8Array[] | undefined {
  const packets: Uint8Array[] = [];
  let left = unread;
  for (const { result, out } of answers) {
    const length = Number(result);
    if (length < 0) return packets;
    // The end of an ended socket of packets looks like an empty one.
    if (length === 0) return left === 0 && packets.length > 0 ? packets : undefined;
    if (length > packetMax) return undefined;
    packets.push((out[0] ?? new Uint8Array(0)).slice(0, length));
    left -= length;
  }
  return undefined;
}

/**
 * Packets one by one. The socket itself counts how far one has looked (SO_PEEK_OFF), so that the
 * task does it, and its end of the table puts the count back even if this process dies.
 */
function peekPackets(
  { frozen, task }: CheckpointScope,
  { fd }: Description,
  unread: number,
): readonly Uint8Array[] | undefined {
  const [leader] = task.threads;
  const [before] = frozen.probe(task, fd, [getOption(SOL_SOCKET, SO_PEEK_OFF, 4)]);
  const offset = optionNumber(before);
  if (leader === undefined || offset === undefined) return undefined;
  const set = (value: number): Call => ({
    call: 'setsockopt',
    args: [fd, SOL_SOCKET, SO_PEEK_OFF, { in: word(value) }, 4],
  });
  // Each with a room of its own size: recorded answers are found by what was asked.
  const looks = Array.from({ length: packetsMax }, (_, index) => look(fd, packetMax + index));
  const answers = frozen.ask(task, leader, [set(0), ...looks, set(offset)]);
  return packetsIn(answers.slice(1, -1), unread);
}

function read(
  scope: CheckpointScope,
  description: Description,
  { type, unread }: SocketFacts,
): Queue | QueueObstacle {
  const { frozen, task } = scope;
  const events = frozen.pollFile?.(task, description.fd) ?? 0;
  const isEnded = (events & POLLRDHUP) !== 0;
  if (unread === 0 && ((events & POLLIN) === 0 || isEnded)) return { messages: [], isEnded };
  if (fieldOf(description.info, 'scm_fds') !== '0') {
    return obstacle('descriptors are on their way through it (SCM_RIGHTS), or may be');
  }
  const isStream = type === socketTypes.STREAM;
  const contents = isStream
    ? peekStream(scope, description, unread)
    : peekPackets(scope, description, unread);
  if (contents === undefined) {
    const most = `at most ${packetsMax - 1} packets of ${packetMax} bytes, none of them empty`;
    return obstacle(
      `what is on its way through it cannot be looked at${isStream ? '' : `: ${most}`}`,
    );
  }
  const messages = contents.map((bytes): SocketMessage => {
    const pages = Math.ceil(bytes.length / scope.system.pageSize);
    return { index: BigInt(scope.store.add({ bytes }, pages)), length: bytes.length, _pad: 0 };
  });
  return { messages, isEnded };
}

const queues = new WeakMap<Description, Queue | QueueObstacle>();

/** What was not read of an end of a pair; its bytes are in the store from the first call on. */
export function queueOf(
  scope: CheckpointScope,
  description: Description,
  facts: SocketFacts,
): Queue | QueueObstacle {
  const known = queues.get(description) ?? read(scope, description, facts);
  queues.set(description, known);
  return known;
}

/** Plans to send what an end had not read, through the other one. */
export function refill(
  { scope }: Restoring,
  record: ImageRecord<Socket>,
  messages: readonly SocketMessage[],
  other: number,
): void {
  const bytes = messages.reduce((sum, { length }) => sum + length, 0);
  const isEmpty = messages.some(({ length }) => length === 0);
  if (messages.length > messagesMax || bytes > bytesMax || isEmpty) {
    throw record.invalid('messages', `${messages.length} messages of ${bytes} bytes`);
  }
  for (const { index, length } of messages) {
    scope.step('descriptors', {
      op: 'load',
      on: scope.pid,
      from: { position: record.position, path: 'descriptors/SOCKET' },
      to: { fd: other, offset: -1n },
      length,
      index: Number(index),
    });
  }
}

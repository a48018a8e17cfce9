import type { SocketFile } from './socket.ts';
import type { Tcp } from './tcp.ts';
import { queues, tcpStates } from './tcp.ts';
import { refuse } from './refuse.ts';
import type { Caller } from './system-call.ts';

const TCP_MAXSEG = 2;
const TCP_INFO = 11;
const TCP_REPAIR = 19;
const TCP_REPAIR_QUEUE = 20;
const TCP_QUEUE_SEQ = 21;
const TCP_REPAIR_OPTIONS = 22;
const TCP_TIMESTAMP = 24;
const TCP_REPAIR_WINDOW = 29;
const TCP_ULP = 31;
const CAP_NET_ADMIN = 12;
const windowSize = 20;
/** Bytes: net/tcp.h, TCP_MIN_MSS and MAX_TCP_WINDOW. */
const segments = { least: 88, most: 32767 } as const;

const word = (bytes: Uint8Array, at = 0): number =>
  bytes.length < at + 4
    ? refuse('EINVAL', 'too short')
    : new DataView(bytes.buffer, bytes.byteOffset).getInt32(at, true);

function wordBytes(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value | 0, true);
  return bytes;
}

function setSequence(tcp: Tcp, value: number): void {
  if (tcp.state !== tcpStates.CLOSE) refuse('EPERM', 'it is connected');
  if (tcp.queue === queues.send) tcp.sendNext = value >>> 0;
  else if (tcp.queue === queues.receive) tcp.receiveNext = value >>> 0;
  else refuse('EINVAL', 'no queue');
}

/** What is set before connect(2) is the size that is agreed on. */
function setSegment(tcp: Tcp, value: number): void {
  if (value !== 0 && (value < segments.least || value > segments.most)) {
    refuse('EINVAL', `a segment of ${value} bytes`);
  }
  if (!tcp.isConnected && value !== 0) tcp.mss = value;
}

/** Pairs of kind and value, kinds as in RFC 9293. */
function setOptions(tcp: Tcp, bytes: Uint8Array): void {
  if (!tcp.isRepaired) refuse('EINVAL', 'it is not being repaired');
  if (tcp.state !== tcpStates.ESTABLISHED) refuse('EPERM', 'it is not connected');
  tcp.options = 0;
  tcp.scales = 0;
  for (let at = 0; at + 8 <= bytes.length; at += 8) {
    const [kind, value] = [word(bytes, at), word(bytes, at + 4)];
    if (kind === 2) tcp.mss = value;
    else if (kind === 3) {
      tcp.options |= 4;
      tcp.scales = (value & 15) | ((value >> 16) << 4);
    } else if (kind === 4) tcp.options |= 2;
    else if (kind === 8) tcp.options |= 1;
  }
}

/** Options of level TCP that repair takes; false for any other. */
export function setTcpOption(
  { thread }: Caller,
  { tcp, isListening }: SocketFile,
  name: number,
  bytes: Uint8Array,
): boolean {
  if (tcp === undefined) return false;
  switch (name) {
    case TCP_REPAIR:
      if (isListening || !thread.credentials.can(CAP_NET_ADMIN)) refuse('EPERM', 'TCP_REPAIR');
      tcp.setRepair(word(bytes) === 1);
      return true;
    case TCP_REPAIR_QUEUE:
      if (!tcp.isRepaired) refuse('EPERM', 'it is not being repaired');
      tcp.queue = word(bytes);
      return true;
    case TCP_QUEUE_SEQ:
      setSequence(tcp, word(bytes));
      return true;
    case TCP_MAXSEG:
      setSegment(tcp, word(bytes));
      return true;
    case TCP_REPAIR_OPTIONS:
      setOptions(tcp, bytes);
      return true;
    case TCP_TIMESTAMP:
      if (!tcp.isRepaired) refuse('EPERM', 'it is not being repaired');
      tcp.timestamp = word(bytes);
      return true;
    case TCP_REPAIR_WINDOW:
      if (!tcp.isRepaired) refuse('EPERM', 'it is not being repaired');
      if (bytes.length !== windowSize) refuse('EINVAL', 'no windows');
      tcp.window = bytes;
      return true;
    default:
      return false;
  }
}

/** struct tcp_info (linux/tcp.h): state, options, and of a listening socket who waits. */
function tcpInfo({ tcp, isListening, backlog }: SocketFile, length: number): Uint8Array {
  const bytes = new Uint8Array(Math.max(length, 32));
  bytes[0] = isListening ? tcpStates.LISTEN : (tcp?.state ?? 0);
  if (tcp?.isConnected === true) bytes.set([tcp.options, tcp.scales], 5);
  new DataView(bytes.buffer).setUint32(28, backlog, true);
  return bytes;
}

function sequence({ queue, sendNext, receiveNext }: Tcp): Uint8Array {
  if (queue === queues.none) refuse('EINVAL', 'no queue');
  return wordBytes(queue === queues.send ? sendNext : receiveNext);
}

/** What such an option tells; undefined for any other. */
export function getTcpOption(file: SocketFile, name: number, room: number): Uint8Array | undefined {
  const { tcp } = file;
  if (tcp === undefined) return undefined;
  switch (name) {
    case TCP_INFO:
      return tcpInfo(file, room);
    case TCP_MAXSEG:
      return wordBytes(tcp.mss);
    case TCP_QUEUE_SEQ:
      return sequence(tcp);
    case TCP_TIMESTAMP:
      return wordBytes(tcp.timestamp);
    case TCP_REPAIR_WINDOW:
      return tcp.isRepaired ? tcp.window : refuse('EPERM', 'it is not being repaired');
    case TCP_ULP:
      return new Uint8Array(0);
    default:
      return undefined;
  }
}

import type { Answer, Call, CheckpointScope } from '@ckpt/engine';
import { socketDomains, socketTypes } from '@ckpt/format';
import type { Description } from './descriptor.ts';
import { getOption, optionNumber, optionValue } from './socket-options.ts';
import { SOL_SOCKET, type Shape } from './socket-option-table.ts';
import { FIONREAD, IPPROTO_TCP, TCP_INFO } from './socket-tcp.ts';

const SO_TYPE = 3;
const SO_BINDTODEVICE = 25;
const SO_GET_FILTER = 26;
const SO_ACCEPTCONN = 30;
const SO_PROTOCOL = 38;
const SO_DOMAIN = 39;
const IPPROTO_UDP = 17;
/** fcntl(2) */
const F_GETOWN_EX = 16;

/** Bytes of struct sockaddr_storage. */
const addressSize = 128;
/** IFNAMSIZ of linux/if.h. */
const deviceSize = 16;

/** tcpi_state of struct tcp_info (linux/tcp.h). */
const tcpStates = [
  ...['', 'ESTABLISHED', 'SYN_SENT', 'SYN_RECV', 'FIN_WAIT1', 'FIN_WAIT2', 'TIME_WAIT'],
  ...['CLOSE', 'CLOSE_WAIT', 'LAST_ACK', 'LISTEN', 'CLOSING', 'NEW_SYN_RECV'],
] as const;

/** What a socket says of itself. */
export interface SocketFacts {
  readonly domain: number;
  readonly type: number;
  readonly protocol: number;
  readonly listens: boolean;
  /** Local address; empty when it has none. */
  readonly local: Uint8Array;
  /** What it is connected to; undefined when it is not. */
  readonly peer: Uint8Array | undefined;
  /** Bytes, or of UDP those of the next datagram, that were not read. */
  readonly unread: number;
  /** Network interface it is bound to. */
  readonly device: Uint8Array;
  /** Instructions of its filter. */
  readonly filter: number;
  /** Who gets its signals: a pid, a thread or a group. */
  readonly owner: number;
  /** One of {@link tcpStates}; undefined for other protocols. */
  readonly tcpState: string | undefined;
  /** Of a listening TCP socket: how many may wait, and how many do. */
  readonly backlog: number;
  readonly waiting: number;
}

const addressCall = (call: string): Call => {
  const length = new Uint8Array(4);
  length[0] = addressSize;
  return { call, args: [-1000, { out: addressSize }, { inout: length }] };
};

const calls: readonly Call[] = [
  getOption(SOL_SOCKET, SO_DOMAIN, 4),
  getOption(SOL_SOCKET, SO_TYPE, 4),
  getOption(SOL_SOCKET, SO_PROTOCOL, 4),
  getOption(SOL_SOCKET, SO_ACCEPTCONN, 4),
  addressCall('getsockname'),
  addressCall('getpeername'),
  { call: 'ioctl', args: [-1000, FIONREAD, { out: 4 }] },
  getOption(SOL_SOCKET, SO_BINDTODEVICE, deviceSize),
  // With no room the answer is how many instructions there are.
  getOption(SOL_SOCKET, SO_GET_FILTER, 0),
  { call: 'fcntl', args: [-1000, F_GETOWN_EX, { out: 8 }] },
  getOption(IPPROTO_TCP, TCP_INFO, 104),
];

function addressIn(answer: Answer | undefined): Uint8Array | undefined {
  const [bytes, length] = answer?.out ?? [];
  if (answer?.result !== 0n || bytes === undefined || length === undefined) return undefined;
  const size = new DataView(length.buffer, length.byteOffset).getInt32(0, true);
  return bytes.slice(0, Math.max(0, Math.min(size, bytes.length)));
}

/** A 32-bit word of what a call left in its last room. */
function wordOf(answer: Answer | undefined, offset: number): number {
  const bytes = answer?.out.at(-1);
  if (answer === undefined || answer.result < 0n || bytes === undefined) return 0;
  return new DataView(bytes.buffer, bytes.byteOffset).getInt32(offset, true);
}

/** Offsets in struct tcp_info: of a listening socket, who waits, and how many may. */
const tcpiUnacked = 24;
const tcpiSacked = 28;

const known = new WeakMap<Description, { readonly facts: SocketFacts | undefined }>();

/** Asks a socket, once, and without changing it; undefined when it does not say what it is. */
export function readSocket(
  scope: CheckpointScope,
  description: Description,
): SocketFacts | undefined {
  const found = known.get(description) ?? { facts: ask(scope, description) };
  known.set(description, found);
  return found.facts;
}

function ask(scope: CheckpointScope, { fd }: Description): SocketFacts | undefined {
  const answers = scope.frozen.probe(scope.task, fd, calls);
  const [domain, type, protocol, listens, local, peer, unread, device, filter, owner, tcp] =
    answers;
  const family = optionNumber(domain);
  const kind = optionNumber(type);
  if (family === undefined || kind === undefined) return undefined;
  const number = optionNumber(protocol) ?? 0;
  const isTcp = isTcpSocket(family, kind, number);
  const info = isTcp ? optionValue(tcp) : undefined;
  const view = info && new DataView(info.buffer, info.byteOffset, info.length);
  const word = (at: number): number =>
    view !== undefined && view.byteLength >= at + 4 ? view.getUint32(at, true) : 0;
  return {
    domain: family,
    type: kind,
    protocol: number,
    listens: optionNumber(listens) === 1,
    local: addressIn(local) ?? new Uint8Array(0),
    peer: addressIn(peer),
    unread: wordOf(unread, 0),
    device: optionValue(device) ?? new Uint8Array(0),
    filter: filter?.result === 0n ? wordOf(filter, 0) : 0,
    owner: wordOf(owner, 4),
    tcpState: info === undefined ? undefined : tcpStates[info[0] ?? 0],
    backlog: word(tcpiSacked),
    waiting: word(tcpiUnacked),
  };
}

export const isInet = (domain: number): boolean =>
  domain === socketDomains.INET || domain === socketDomains.INET6;

const isTcpSocket = (domain: number, type: number, protocol: number): boolean =>
  isInet(domain) && type === socketTypes.STREAM && protocol === IPPROTO_TCP;

/** What options depend on. */
export function shapeOf({
  domain,
  type,
  protocol,
}: Pick<SocketFacts, 'domain' | 'type' | 'protocol'>): Shape {
  return {
    domain,
    isTcp: isTcpSocket(domain, type, protocol),
    isUdp: isInet(domain) && type === socketTypes.DGRAM && protocol === IPPROTO_UDP,
  };
}

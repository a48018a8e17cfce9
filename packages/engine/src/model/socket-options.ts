/** Levels of setsockopt(2). */
export const SOL_SOCKET = 1;
const SOL_IP = 0;
const SOL_TCP = 6;
const SOL_UDP = 17;
const SOL_IPV6 = 41;

/** Domains and types (linux/socket.h). */
export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_SEQPACKET = 5;

export interface SocketKind {
  readonly domain: number;
  readonly type: number;
  readonly protocol: number;
}

export const isInet = ({ domain }: SocketKind): boolean =>
  domain === AF_INET || domain === AF_INET6;
export const isTcp = (kind: SocketKind): boolean => isInet(kind) && kind.type === SOCK_STREAM;
const isUdp = (kind: SocketKind): boolean => isInet(kind) && kind.type === SOCK_DGRAM;

type Words = readonly (readonly [name: number, value: number, size?: number])[];

interface Level {
  readonly level: number;
  readonly has: (kind: SocketKind) => boolean;
  /** Name, the word of a new socket's value, and bytes where those are not 4. */
  readonly options: Words;
}

const zeros = (...names: readonly number[]): Words => names.map((name) => [name, 0] as const);

/** asm-generic/socket.h, linux/in.h, in6.h, tcp.h, udp.h, with the sysctls that a kernel starts with. */
const levels: readonly Level[] = [
  {
    level: SOL_SOCKET,
    has: () => true,
    options: [
      ...zeros(2, 5, 6, 9, 10, 12, 15, 29, 35, 36, 45, 46, 72, 75),
      [18, 1],
      [7, 212_992],
      [8, 212_992],
      ...[13, 37].map((name) => [name, 0, 8] as const),
      [47, -1, 8],
      ...[20, 21].map((name) => [name, 0, 16] as const),
    ],
  },
  { level: SOL_SOCKET, has: isInet, options: zeros(11, 60) },
  { level: SOL_SOCKET, has: isUdp, options: zeros(40) },
  {
    level: SOL_SOCKET,
    has: ({ domain }) => domain === AF_UNIX,
    options: [...zeros(16, 34, 76), [42, -1]],
  },
  {
    level: SOL_IP,
    has: isInet,
    options: [
      ...zeros(1, 6, 7, 8, 11, 12, 13, 15, 18, 19, 20, 21, 24, 26, 50),
      [2, 64],
      [10, 1],
      [4, 0, 0],
    ],
  },
  {
    level: SOL_IP,
    has: isUdp,
    options: [...zeros(23, 25, 32), ...[33, 34, 49].map((name) => [name, 1] as const)],
  },
  {
    level: SOL_IPV6,
    has: ({ domain }) => domain === AF_INET6,
    options: [
      ...zeros(17, 25, 26, 31, 33, 49, 51, 53, 56, 58, 60, 62, 66, 67, 73, 74, 76, 77),
      [16, 64],
      ...[18, 19, 23, 29, 70].map((name) => [name, 1] as const),
      ...[54, 55, 57, 59].map((name) => [name, 0, 0] as const),
    ],
  },
  {
    level: SOL_TCP,
    has: isTcp,
    options: [
      ...zeros(1, 3, 9, 10, 16, 18, 23, 25, 27, 34, 36),
      ...([
        [4, 7200],
        [5, 75],
        [6, 9],
        [7, 6],
        [8, 60],
        [12, 1],
      ] as const),
    ],
  },
  { level: SOL_UDP, has: isUdp, options: zeros(1, 103, 104) },
];

const TCP_CONGESTION = 13;

export const optionKey = (level: number, name: number): string => `${level}:${name}`;

function wordBytes(value: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < size; at += 4) view.setInt32(at, value, true);
  return bytes;
}

/** Options of a new socket, by level and name. */
export function firstOptions(kind: SocketKind): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  for (const { level, has, options } of levels) {
    if (!has(kind)) continue;
    for (const [name, value, size = 4] of options) {
      found.set(optionKey(level, name), wordBytes(value, size));
    }
  }
  if (isTcp(kind)) {
    const cubic = new Uint8Array(16);
    cubic.set([0x63, 0x75, 0x62, 0x69, 0x63]);
    found.set(optionKey(SOL_TCP, TCP_CONGESTION), cubic);
    found.set(optionKey(SOL_SOCKET, 7), wordBytes(16_384, 4));
    found.set(optionKey(SOL_SOCKET, 8), wordBytes(131_072, 4));
  }
  return found;
}

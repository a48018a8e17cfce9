import { socketDomains } from '@ckpt/format';

/** Levels of setsockopt(2). */
export const SOL_SOCKET = 1;
export const IPPROTO_IP = 0;
const IPPROTO_TCP = 6;
export const IPPROTO_IPV6 = 41;

export const SO_REUSEADDR = 2;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
export const SO_BUF_LOCK = 72;

/** Which sockets have an option. */
type Sockets = 'all' | 'inet' | 'inet6' | 'tcp' | 'udp' | 'unix';

/** An option that setsockopt(2) sets as getsockopt(2) gives it. */
export interface Option {
  readonly what: string;
  readonly level: number;
  readonly name: number;
  readonly of: Sockets;
  /** Bytes. */
  readonly size: number;
  /** Value of a new socket, in each 32-bit word of the value. */
  readonly initial: number;
  /** Of an option that is text. */
  readonly initialText?: string;
  /** Set before bind(2). */
  readonly early?: true;
  /** A machine without it does, too: it is said. */
  readonly optional?: true;
  /** The kernel changes it while there is a connection. */
  readonly idle?: true;
}

export const option = (
  of: Sockets,
  level: number,
  what: string,
  name: number,
  more: Partial<
    Pick<Option, 'size' | 'initial' | 'initialText' | 'early' | 'optional' | 'idle'>
  > = {},
): Option => ({ what, level, name, of, size: 4, initial: 0, ...more });

/**
 * socket(7), ip(7), ipv6(7), tcp(7), udp(7); numbers of asm-generic/socket.h, linux/in.h, in6.h,
 * tcp.h. Initial values are those of a kernel whose sysctls nobody has touched.
 */
export const options: readonly Option[] = [
  option('inet6', IPPROTO_IPV6, 'IPV6_V6ONLY', 26, { early: true }),
  option('all', SOL_SOCKET, 'SO_REUSEPORT', 15, { early: true }),
  option('inet', IPPROTO_IP, 'IP_FREEBIND', 15, { early: true }),
  option('inet', IPPROTO_IP, 'IP_TRANSPARENT', 19, { early: true }),
  option('inet', IPPROTO_IP, 'IP_BIND_ADDRESS_NO_PORT', 24, { early: true }),
  option('all', SOL_SOCKET, 'SO_MARK', 36, { early: true }),
  option('all', SOL_SOCKET, 'SO_BROADCAST', 6),
  option('all', SOL_SOCKET, 'SO_DONTROUTE', 5),
  option('all', SOL_SOCKET, 'SO_KEEPALIVE', 9),
  option('all', SOL_SOCKET, 'SO_OOBINLINE', 10),
  option('inet', SOL_SOCKET, 'SO_NO_CHECK', 11),
  option('all', SOL_SOCKET, 'SO_PRIORITY', 12),
  option('all', SOL_SOCKET, 'SO_LINGER', 13, { size: 8 }),
  option('unix', SOL_SOCKET, 'SO_PASSCRED', 16),
  option('all', SOL_SOCKET, 'SO_RCVLOWAT', 18, { initial: 1 }),
  option('all', SOL_SOCKET, 'SO_RCVTIMEO', 20, { size: 16 }),
  option('all', SOL_SOCKET, 'SO_SNDTIMEO', 21, { size: 16 }),
  option('all', SOL_SOCKET, 'SO_TIMESTAMP', 29),
  option('all', SOL_SOCKET, 'SO_TIMESTAMPNS', 35),
  option('udp', SOL_SOCKET, 'SO_RXQ_OVFL', 40),
  option('all', SOL_SOCKET, 'SO_BUSY_POLL', 46),
  option('inet', SOL_SOCKET, 'SO_ZEROCOPY', 60),
  option('all', SOL_SOCKET, 'SO_TIMESTAMPING', 37, { size: 8 }),
  option('all', SOL_SOCKET, 'SO_SELECT_ERR_QUEUE', 45),
  option('all', SOL_SOCKET, 'SO_MAX_PACING_RATE', 47, { size: 8, initial: -1 }),
  option('all', SOL_SOCKET, 'SO_RCVMARK', 75),
  option('unix', SOL_SOCKET, 'SO_PASSSEC', 34),
  option('unix', SOL_SOCKET, 'SO_PEEK_OFF', 42, { initial: -1 }),
  option('unix', SOL_SOCKET, 'SO_PASSPIDFD', 76),
  option('inet', IPPROTO_IP, 'IP_TOS', 1),
  option('inet', IPPROTO_IP, 'IP_TTL', 2, { initial: 64 }),
  option('inet', IPPROTO_IP, 'IP_PKTINFO', 8),
  option('inet', IPPROTO_IP, 'IP_MTU_DISCOVER', 10, { initial: 1 }),
  option('inet', IPPROTO_IP, 'IP_RECVERR', 11),
  option('inet', IPPROTO_IP, 'IP_RECVTTL', 12),
  option('inet', IPPROTO_IP, 'IP_RECVTOS', 13),
  option('inet', IPPROTO_IP, 'IP_RECVOPTS', 6),
  option('inet', IPPROTO_IP, 'IP_RETOPTS', 7),
  option('inet', IPPROTO_IP, 'IP_PASSSEC', 18),
  option('inet', IPPROTO_IP, 'IP_RECVORIGDSTADDR', 20),
  option('inet', IPPROTO_IP, 'IP_MINTTL', 21),
  option('inet', IPPROTO_IP, 'IP_RECVERR_RFC4884', 26),
  option('inet', IPPROTO_IP, 'IP_UNICAST_IF', 50),
  option('udp', IPPROTO_IP, 'IP_CHECKSUM', 23),
  option('udp', IPPROTO_IP, 'IP_RECVFRAGSIZE', 25),
  option('udp', IPPROTO_IP, 'IP_MULTICAST_IF', 32),
  option('udp', IPPROTO_IP, 'IP_MULTICAST_TTL', 33, { initial: 1 }),
  option('udp', IPPROTO_IP, 'IP_MULTICAST_LOOP', 34, { initial: 1 }),
  option('udp', IPPROTO_IP, 'IP_MULTICAST_ALL', 49, { initial: 1 }),
  option('inet6', IPPROTO_IPV6, 'IPV6_UNICAST_HOPS', 16, { initial: 64 }),
  option('inet6', IPPROTO_IPV6, 'IPV6_MULTICAST_HOPS', 18, { initial: 1, idle: true }),
  option('inet6', IPPROTO_IPV6, 'IPV6_MULTICAST_IF', 17),
  option('inet6', IPPROTO_IPV6, 'IPV6_MULTICAST_LOOP', 19, { initial: 1 }),
  option('inet6', IPPROTO_IPV6, 'IPV6_MTU_DISCOVER', 23, { initial: 1 }),
  option('inet6', IPPROTO_IPV6, 'IPV6_MULTICAST_ALL', 29, { initial: 1 }),
  option('inet6', IPPROTO_IPV6, 'IPV6_RECVERR_RFC4884', 31),
  option('inet6', IPPROTO_IPV6, 'IPV6_FLOWINFO_SEND', 33),
  option('inet6', IPPROTO_IPV6, 'IPV6_RECVHOPOPTS', 53),
  option('inet6', IPPROTO_IPV6, 'IPV6_RECVRTHDR', 56),
  option('inet6', IPPROTO_IPV6, 'IPV6_RECVDSTOPTS', 58),
  option('inet6', IPPROTO_IPV6, 'IPV6_RECVPATHMTU', 60),
  option('inet6', IPPROTO_IPV6, 'IPV6_DONTFRAG', 62),
  option('inet6', IPPROTO_IPV6, 'IPV6_AUTOFLOWLABEL', 70, { initial: 1 }),
  option('inet6', IPPROTO_IPV6, 'IPV6_MINHOPCOUNT', 73),
  option('inet6', IPPROTO_IPV6, 'IPV6_RECVORIGDSTADDR', 74),
  option('inet6', IPPROTO_IPV6, 'IPV6_UNICAST_IF', 76),
  option('inet6', IPPROTO_IPV6, 'IPV6_RECVFRAGSIZE', 77),
  option('inet6', IPPROTO_IPV6, 'IPV6_RECVERR', 25),
  option('inet6', IPPROTO_IPV6, 'IPV6_RECVPKTINFO', 49),
  option('inet6', IPPROTO_IPV6, 'IPV6_RECVHOPLIMIT', 51),
  option('inet6', IPPROTO_IPV6, 'IPV6_RECVTCLASS', 66),
  option('inet6', IPPROTO_IPV6, 'IPV6_TCLASS', 67),
  option('tcp', IPPROTO_TCP, 'TCP_NODELAY', 1),
  option('tcp', IPPROTO_TCP, 'TCP_CORK', 3),
  option('tcp', IPPROTO_TCP, 'TCP_KEEPIDLE', 4, { initial: 7200 }),
  option('tcp', IPPROTO_TCP, 'TCP_KEEPINTVL', 5, { initial: 75 }),
  option('tcp', IPPROTO_TCP, 'TCP_KEEPCNT', 6, { initial: 9 }),
  option('tcp', IPPROTO_TCP, 'TCP_SYNCNT', 7, { initial: 6 }),
  option('tcp', IPPROTO_TCP, 'TCP_LINGER2', 8, { initial: 60 }),
  option('tcp', IPPROTO_TCP, 'TCP_DEFER_ACCEPT', 9, { idle: true }),
  option('tcp', IPPROTO_TCP, 'TCP_WINDOW_CLAMP', 10, { idle: true }),
  option('tcp', IPPROTO_TCP, 'TCP_QUICKACK', 12, { initial: 1, idle: true }),
  option('tcp', IPPROTO_TCP, 'TCP_CONGESTION', 13, {
    size: 16,
    initialText: 'cubic',
    optional: true,
  }),
  option('tcp', IPPROTO_TCP, 'TCP_THIN_LINEAR_TIMEOUTS', 16),
  option('tcp', IPPROTO_TCP, 'TCP_USER_TIMEOUT', 18),
  option('tcp', IPPROTO_TCP, 'TCP_NOTSENT_LOWAT', 25),
  option('tcp', IPPROTO_TCP, 'TCP_FASTOPEN_NO_COOKIE', 34),
  option('tcp', IPPROTO_TCP, 'TCP_INQ', 36),
  option('tcp', IPPROTO_TCP, 'TCP_FASTOPEN', 23, { idle: true }),
  option('tcp', IPPROTO_TCP, 'TCP_SAVE_SYN', 27, { idle: true }),
  option('udp', 17, 'UDP_CORK', 1),
  option('udp', 17, 'UDP_SEGMENT', 103),
  option('udp', 17, 'UDP_GRO', 104),
];

export const IP_ADD_MEMBERSHIP = 35;
export const IPV6_JOIN_GROUP = 20;

/** Multicast groups, which are joined and never read: struct ip_mreqn, struct ipv6_mreq. */
export const joinings: readonly Option[] = [
  option('udp', IPPROTO_IP, 'IP_ADD_MEMBERSHIP', IP_ADD_MEMBERSHIP, { size: 12 }),
  option('udp', IPPROTO_IPV6, 'IPV6_JOIN_GROUP', IPV6_JOIN_GROUP, { size: 20 }),
];

/** Sizes that the user fixed (SO_BUF_LOCK): the kernel gives twice what it was asked for. */
export const buffers = [
  { name: SO_SNDBUF, lock: 1, what: 'SO_SNDBUF' },
  { name: SO_RCVBUF, lock: 2, what: 'SO_RCVBUF' },
];

/** A socket, as far as options depend on it. */
export interface Shape {
  readonly domain: number;
  readonly isTcp: boolean;
  readonly isUdp: boolean;
}

export function has({ domain, isTcp, isUdp }: Shape, of: Sockets): boolean {
  switch (of) {
    case 'all':
      return true;
    case 'inet':
      return domain !== socketDomains.UNIX;
    case 'inet6':
      return domain === socketDomains.INET6;
    case 'tcp':
      return isTcp;
    case 'udp':
      return isUdp;
    case 'unix':
      return domain === socketDomains.UNIX;
  }
}

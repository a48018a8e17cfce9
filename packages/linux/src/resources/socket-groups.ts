import type { Answer, Call, CheckpointScope, Obstacle } from '@ckpt/engine';
import { socketDomains, type SocketOption } from '@ckpt/format';
import { decodeText } from '@ckpt/io';
import type { Description } from './descriptor.ts';
import { hostText } from './socket-address.ts';
import { IP_ADD_MEMBERSHIP, IPPROTO_IP, IPPROTO_IPV6 } from './socket-option-table.ts';
import { IPV6_JOIN_GROUP, type Shape } from './socket-option-table.ts';

type Reason = Omit<Obstacle, 'thing'>;

/** linux/in.h; struct group_filter without sources: interface, address, mode, number of sources. */
const MCAST_MSFILTER = 48;
const filterSize = 144;
const groupAt = 8;
const modeAt = 136;
const sourcesAt = 140;
const MCAST_EXCLUDE = 0;

/** sockaddr_in and sockaddr_in6: where the address begins. */
const inetAt = 4;
const inet6At = 8;
const AF_INET6 = 10;

/** A multicast group that somebody has joined, on the interface of this index. */
interface Group {
  readonly level: typeof IPPROTO_IP | typeof IPPROTO_IPV6;
  readonly device: number;
  readonly address: Uint8Array;
}

const hexBytes = (text: string): Uint8Array =>
  Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));

/** Lines of /proc/net/igmp: "4 eth0 : ..." and behind it groups, a word each as the machine has it. */
export function parseIgmp(text: string): readonly Group[] {
  let device = 0;
  return text.split('\n').flatMap((line): Group[] => {
    device = Number(/^(\d+)\s/.exec(line)?.[1] ?? device);
    const word = /^\s+([0-9A-F]{8})\s/.exec(line)?.[1];
    if (word === undefined) return [];
    return [{ level: IPPROTO_IP, device, address: hexBytes(word).reverse() }];
  });
}

/** Lines of /proc/net/igmp6: "4 eth0 ff02...01 1 0000000C 0". */
export function parseIgmp6(text: string): readonly Group[] {
  return text.split('\n').flatMap((line): Group[] => {
    const [, device, address] = /^(\d+)\s+\S+\s+([0-9a-f]{32})\s/.exec(line) ?? [];
    if (device === undefined || address === undefined) return [];
    return [{ level: IPPROTO_IPV6, device: Number(device), address: hexBytes(address) }];
  });
}

/** Asks a socket whether it is in a group; EADDRNOTAVAIL when it is not. */
function filterCall({ level, device, address }: Group): Call {
  const value = new Uint8Array(filterSize);
  const view = new DataView(value.buffer);
  const isInet = level === IPPROTO_IP;
  view.setUint32(0, device, true);
  view.setUint16(groupAt, isInet ? socketDomains.INET : AF_INET6, true);
  value.set(address, groupAt + (isInet ? inetAt : inet6At));
  const length = new Uint8Array(4);
  new DataView(length.buffer).setInt32(0, filterSize, true);
  return {
    call: 'getsockopt',
    args: [-1000, level, MCAST_MSFILTER, { inout: value }, { inout: length }],
  };
}

/** struct ip_mreqn, struct ipv6_mreq: joins it again. */
function joining({ level, device, address }: Group): SocketOption {
  const isInet = level === IPPROTO_IP;
  const value = new Uint8Array(isInet ? 12 : 20);
  value.set(address);
  new DataView(value.buffer).setUint32(value.length - 4, device, true);
  return { level, name: isInet ? IP_ADD_MEMBERSHIP : IPV6_JOIN_GROUP, length: value.length, value };
}

/** True for a member that listens to all senders, false for one that chooses, else undefined. */
function hearsAll(answer: Answer | undefined): boolean | undefined {
  const filter = answer?.out[0];
  if (answer?.result !== 0n || filter?.length !== filterSize) return undefined;
  const view = new DataView(filter.buffer, filter.byteOffset, filterSize);
  const mode = view.getUint32(modeAt, true);
  return mode === MCAST_EXCLUDE && view.getUint32(sourcesAt, true) === 0;
}

function textOf({ level, address }: Group): string {
  const isInet = level === IPPROTO_IP;
  const bytes = new Uint8Array(28);
  bytes[0] = isInet ? socketDomains.INET : AF_INET6;
  bytes.set(address, isInet ? inetAt : inet6At);
  return hostText(bytes);
}

/**
 * Multicast groups of a UDP socket, as options that join them again. No call tells them: the socket
 * is asked about each group of its network namespace.
 */
export function readGroups(
  scope: CheckpointScope,
  description: Description,
  { domain, isUdp }: Shape,
): readonly SocketOption[] | Reason {
  if (!isUdp) return [];
  const { frozen, task } = scope;
  const isInet6 = domain === socketDomains.INET6;
  const text = (path: string): string => decodeText(frozen.read(task, path) ?? new Uint8Array(0));
  const groups = [
    ...parseIgmp(text('net/igmp')),
    ...(isInet6 ? parseIgmp6(text('net/igmp6')) : []),
  ];
  if (groups.length === 0) return [];
  const answers = frozen.probe(task, description.fd, groups.map(filterCall));
  const members = groups.map((group, index) => ({
    group,
    all: hearsAll(answers[index]),
  }));
  const choosing = members.find(({ all }) => all === false);
  if (choosing !== undefined) {
    return {
      reason: `it hears some senders of the multicast group ${textOf(choosing.group)} only`,
      remedy: 'leave the group before the checkpoint (MCAST_LEAVE_GROUP)',
    };
  }
  return members.flatMap(({ group, all }) => (all === true ? [joining(group)] : []));
}

import type { Answer, Call, CheckpointScope, Obstacle } from '@ckpt/engine';
import { socketDomains } from '@ckpt/format';
import { decodeText } from '@ckpt/io';
import { fieldOf } from '../procfs/fdinfo.ts';
import type { Description } from './descriptor.ts';
import { hostText } from './socket-address.ts';
import { isInet, shapeOf, type SocketFacts } from './socket-facts.ts';
import { getOption, optionValue } from './socket-options.ts';

const IPPROTO_IP = 0;
const IPPROTO_IPV6 = 41;
/** linux/in.h: the filter of a group that the socket is in; EADDRNOTAVAIL: it is not. */
const MCAST_MSFILTER = 48;
/** struct group_filter: where gf_group is, and the bytes up to gf_slist. */
const groupAt = 8;
const filterSize = 144;
/** Where sin_addr and sin6_addr are. */
const hostAt = (domain: number): number => (domain === socketDomains.INET ? 4 : 8);

type Reason = Omit<Obstacle, 'thing'>;

/** Options of packets to be sent: level, name of linux/in.h or in6.h, most bytes. */
const headers = [
  { level: IPPROTO_IP, name: 4, size: 40, what: 'IP_OPTIONS' },
  { level: IPPROTO_IPV6, name: 54, size: 2048, what: 'IPV6_HOPOPTS' },
  { level: IPPROTO_IPV6, name: 55, size: 2048, what: 'IPV6_RTHDRDSTOPTS' },
  { level: IPPROTO_IPV6, name: 57, size: 2048, what: 'IPV6_RTHDR' },
  { level: IPPROTO_IPV6, name: 59, size: 2048, what: 'IPV6_DSTOPTS' },
] as const;

/** A group that somebody of the network namespace is in. */
interface Group {
  /** AF_INET or AF_INET6. */
  readonly domain: number;
  readonly address: Uint8Array;
  /** Index and name of the network interface. */
  readonly index: number;
  readonly device: string;
}

const hexBytes = (hex: string): Uint8Array =>
  Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));

/** Groups of /proc/PID/net/igmp: an interface, then its groups, as words of the machine. */
function igmpGroups(text: string): readonly Group[] {
  let [index, device] = [0, ''];
  return text.split('\n').flatMap((line): readonly Group[] => {
    const head = /^(\d+)\s+(\S+)\s*:/.exec(line);
    if (head !== null) [index, device] = [Number(head[1]), head[2] ?? ''];
    const hex = /^\s+([0-9A-F]{8})\s/.exec(line)?.[1];
    if (hex === undefined) return [];
    const address = hexBytes(hex).reverse();
    return [{ domain: socketDomains.INET, address, index, device }];
  });
}

/** Groups of /proc/PID/net/igmp6: "4    eth0            ff02...01     1 0000000C 0". */
function igmp6Groups(text: string): readonly Group[] {
  return text.split('\n').flatMap((line): readonly Group[] => {
    const [, index, device = '', hex = ''] = /^(\d+)\s+(\S+)\s+([0-9a-f]{32})\s/.exec(line) ?? [];
    const address = hexBytes(hex);
    return index === undefined
      ? []
      : [{ domain: socketDomains.INET6, address, index: Number(index), device }];
  });
}

function filterOf({ domain, address, index }: Group): Call {
  const bytes = new Uint8Array(filterSize);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, index, true);
  view.setUint16(groupAt, domain, true);
  bytes.set(address, groupAt + hostAt(domain));
  const length = new Uint8Array(4);
  new DataView(length.buffer).setInt32(0, filterSize, true);
  const level = domain === socketDomains.INET ? IPPROTO_IP : IPPROTO_IPV6;
  const args = [-1000, level, MCAST_MSFILTER, { inout: bytes }, { inout: length }];
  return { call: 'getsockopt', args };
}

/** The groups that a UDP socket has joined: each that there is, is asked for. */
function groupsOf(scope: CheckpointScope, { fd }: Description, domain: number): readonly Group[] {
  const { frozen, task } = scope;
  const read = (path: string): string => decodeText(frozen.read(task, path) ?? new Uint8Array(0));
  // A socket of IPv6 may be in groups of either.
  const six = domain === socketDomains.INET6 ? igmp6Groups(read('net/igmp6')) : [];
  const all = [...igmpGroups(read('net/igmp')), ...six];
  if (all.length === 0) return [];
  const answers: readonly (Answer | undefined)[] = frozen.probe(task, fd, all.map(filterOf));
  return all.filter((_, index) => answers[index]?.result === 0n);
}

function headerObstacle(scope: CheckpointScope, { fd }: Description, domain: number) {
  const own = headers.filter(({ level }) => level === IPPROTO_IP || domain === socketDomains.INET6);
  const calls = own.map(({ level, name, size }) => getOption(level, name, size));
  const answers = scope.frozen.probe(scope.task, fd, calls);
  const set = own.filter((_, index) => (optionValue(answers[index])?.length ?? 0) > 0);
  if (set.length === 0) return undefined;
  return {
    reason: `its packets carry options (${set.map(({ what }) => what).join(', ')})`,
    remedy: 'take them away (setsockopt(2) with no bytes), or close it before the checkpoint',
  };
}

/** What a socket has that is not among its plain options, and that no restart brings back. */
export function hiddenObstacle(
  scope: CheckpointScope,
  description: Description,
  facts: SocketFacts,
): Reason | undefined {
  const { domain, listens } = facts;
  if (!isInet(domain)) {
    const inFlight = fieldOf(description.info, 'scm_fds') ?? '0';
    if (listens || inFlight === '0') return undefined;
    return {
      reason: `descriptors are on their way through it (SCM_RIGHTS): ${inFlight}`,
      remedy: 'checkpoint when everything was read that was sent through it',
    };
  }
  const [group] = shapeOf(facts).isUdp ? groupsOf(scope, description, domain) : [];
  if (group === undefined) return headerObstacle(scope, description, domain);
  return {
    reason: `it is in the multicast group ${groupText(group)} on ${group.device}`,
    remedy: 'leave the group (IP_DROP_MEMBERSHIP, IPV6_DROP_MEMBERSHIP) before the checkpoint',
  };
}

function groupText({ domain, address }: Group): string {
  const bytes = new Uint8Array(28);
  bytes[0] = domain;
  bytes.set(address, hostAt(domain));
  return hostText(bytes);
}

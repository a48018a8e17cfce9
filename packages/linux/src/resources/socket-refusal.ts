import type { CheckpointScope, Obstacle } from '@ckpt/engine';
import { socketDomains, socketTypes } from '@ckpt/format';
import { addressText, isBound, unixName } from './socket-address.ts';
import { isInet, shapeOf, type SocketFacts } from './socket-facts.ts';

type Reason = Omit<Obstacle, 'thing'>;

/** AF_* of linux/socket.h whose sockets are refused. */
const families = new Map<number, string>([
  [socketDomains.NETLINK, 'netlink'],
  [17, 'packet'],
  [29, 'CAN'],
  [31, 'Bluetooth'],
  [38, 'AF_ALG'],
  [40, 'vsock'],
  [44, 'XDP'],
]);

const IPPROTO_MPTCP = 262;

/** "TCP", "UNIX datagram" */
function protocolName(facts: Pick<SocketFacts, 'domain' | 'type' | 'protocol'>): string {
  const { domain, type, protocol } = facts;
  const { isTcp, isUdp } = shapeOf(facts);
  if (isTcp) return 'TCP';
  if (isUdp) return 'UDP';
  if (domain === socketDomains.UNIX) {
    const types = { [socketTypes.DGRAM]: 'datagram', [socketTypes.SEQPACKET]: 'packet' };
    return `UNIX ${types[type] ?? 'stream'}`;
  }
  if (isInet(domain) && protocol === IPPROTO_MPTCP) return 'MPTCP';
  if (isInet(domain)) return `protocol ${protocol}`;
  return families.get(domain) ?? `address family ${domain}`;
}

/** "TCP 127.0.0.1:80 -> 10.0.0.1:999 ESTABLISHED" */
export function detailOf(facts: SocketFacts): string {
  const { local, peer, tcpState, listens } = facts;
  const parts = [protocolName(facts)];
  if (isBound(local)) parts.push(addressText(local));
  if (peer !== undefined) parts.push('->', addressText(peer));
  const state = tcpState ?? (listens ? 'LISTEN' : '');
  return [...parts, state].filter((part) => part !== '').join(' ');
}

const reason = (text: string, remedy: string): Reason => ({ reason: text, remedy });

function unixObstacle(scope: CheckpointScope, { local, peer }: SocketFacts): Reason | undefined {
  if (peer !== undefined) {
    return reason(
      'it is connected: its other end is outside, or something is on its way',
      'close it before the checkpoint',
    );
  }
  const name = unixName(local);
  if (name === '' || name.startsWith('@')) return undefined;
  if (!name.startsWith('/')) {
    return reason(`it is bound to ${name}, which is relative`, 'bind it to an absolute path');
  }
  const stat = scope.frozen.stat(scope.task, `root${name}`);
  if (stat === undefined) {
    return reason(`${name}, which it is bound to, was deleted`, 'start the program anew');
  }
  return undefined;
}

/** Why a socket cannot be carried; undefined when it can. */
export function obstacleTo(scope: CheckpointScope, facts: SocketFacts): Reason | undefined {
  const { domain, device, filter, local } = facts;
  const { isTcp, isUdp } = shapeOf(facts);
  if (domain !== socketDomains.UNIX && !isTcp && !isUdp) {
    return reason(
      `a ${protocolName(facts)} socket cannot be carried`,
      'close it before the checkpoint',
    );
  }
  if (device.some((byte) => byte !== 0)) {
    return reason('it is bound to a network interface (SO_BINDTODEVICE)', 'bind it to an address');
  }
  if (filter > 0) return reason('it has a filter (SO_ATTACH_FILTER)', 'detach the filter');
  if (isUdp && facts.peer !== undefined && !isBound(local)) {
    return reason('it is connected without an address of its own', 'close it');
  }
  return domain === socketDomains.UNIX ? unixObstacle(scope, facts) : undefined;
}

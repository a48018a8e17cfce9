import type { CheckpointScope, Obstacle } from '@ckpt/engine';
import { socketDomains } from '@ckpt/format';
import { fieldOf } from '../procfs/fdinfo.ts';
import type { Description } from './descriptor.ts';
import { isInet, type SocketFacts } from './socket-facts.ts';
import { getOption, optionValue } from './socket-options.ts';

const IPPROTO_IP = 0;
const IPPROTO_IPV6 = 41;
type Reason = Omit<Obstacle, 'thing'>;

/** Options of packets to be sent: level, name of linux/in.h or in6.h, most bytes. */
const headers = [
  { level: IPPROTO_IP, name: 4, size: 40, what: 'IP_OPTIONS' },
  { level: IPPROTO_IPV6, name: 54, size: 2048, what: 'IPV6_HOPOPTS' },
  { level: IPPROTO_IPV6, name: 55, size: 2048, what: 'IPV6_RTHDRDSTOPTS' },
  { level: IPPROTO_IPV6, name: 57, size: 2048, what: 'IPV6_RTHDR' },
  { level: IPPROTO_IPV6, name: 59, size: 2048, what: 'IPV6_DSTOPTS' },
] as const;

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
  return headerObstacle(scope, description, domain);
}

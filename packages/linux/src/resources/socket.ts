import type { CheckpointScope, FileStat, UnixQueue } from '@ckpt/engine';
import {
  CKPT_HDR_BUFFER,
  fileKinds,
  Socket,
  socketDomains,
  SocketMessage,
  SocketOption,
  socketShutdown,
  socketStates,
  SocketInet,
  socketTypes,
} from '@ckpt/format';
import type { Description, DescriptorKind } from './descriptor.ts';
import { refuse, thingOf } from './descriptor.ts';
import { isBound, unixName } from './socket-address.ts';
import { emitConnection } from './socket-connection.ts';
import { connectionOf, isConnected } from './socket-connections.ts';
import { readSocket, shapeOf, type SocketFacts } from './socket-facts.ts';
import { readGroups } from './socket-groups.ts';
import { hiddenObstacle } from './socket-hidden.ts';
import { optionCalls, readOptions } from './socket-options.ts';
import { isDeserted, otherEnd } from './socket-pair.ts';
import { queueOf, type Queue, type QueueObstacle } from './socket-queue.ts';
import { detailOf, obstacleTo } from './socket-refusal.ts';
import { releaseFilters, settleSocket } from './socket-connection-restore.ts';
import { restoreSocket } from './socket-restore.ts';

/** Where nobody tells how many may wait at a UNIX socket; net.core.somaxconn cuts what is too much. */
const unixBacklog = 4096;

/** poll(2) */
const POLLIN = 1;

const nothing: Queue | QueueObstacle = { messages: [], isEnded: false };

function stateOf({ listens, peer }: SocketFacts, deserted: boolean): number {
  if (deserted) return socketStates.DESERTED;
  if (listens) return socketStates.LISTENING;
  return peer === undefined ? socketStates.UNCONNECTED : socketStates.CONNECTED;
}

/** The file that bind(2) made, where the socket has one and it is still there. */
function fileOf(scope: CheckpointScope, { domain, local }: SocketFacts): FileStat | undefined {
  const name = domain === socketDomains.UNIX ? unixName(local) : '';
  return name.startsWith('/') ? scope.frozen.stat(scope.task, `root${name}`) : undefined;
}

const hasPackets = ({ type }: SocketFacts): boolean => type === socketTypes.DGRAM;

const isReadable = ({ frozen, task }: CheckpointScope, { fd }: Description): boolean =>
  ((frozen.pollFile?.(task, fd) ?? 0) & POLLIN) !== 0;

function unixQueueOf({ frozen, task }: CheckpointScope, { info }: Description) {
  return info.inode === undefined ? undefined : frozen.unixQueue?.(task, info.inode);
}

function tellLosses(
  scope: CheckpointScope,
  description: Description,
  facts: SocketFacts,
  queue: UnixQueue | undefined,
): void {
  const { listens, unread } = facts;
  const thing = `${thingOf(description)}, ${detailOf(facts)}`;
  const waiting = queue?.waiting ?? facts.waiting;
  if (listens && waiting > 0) {
    scope.note(`${thing}: ${waiting} connections that wait to be accepted are not in the image`);
  }
  // Of datagrams the first may be empty.
  const waits = unread > 0 || (hasPackets(facts) && isReadable(scope, description));
  if (!listens && waits && !shapeOf(facts).isTcp) {
    scope.note(`${thing}: datagrams that were not read yet are not in the image`);
  }
}

/**
 * A socket: a listening one (TCP, UNIX), an unconnected one, UDP, a TCP connection, both ends of a
 * socketpair(2), or one whose other end was closed.
 *
 * Image: {@link Socket}, its local address, its {@link SocketOption}s, the address it is connected
 * to, of a TCP connection {@link SocketInet}, whose queues are in the store, and what an end of a
 * pair has not read ({@link SocketMessage}). Not saved: connections that wait to be accepted (the
 * kernel resets them when the process ends) and datagrams that wait to be read (both are told), who
 * sent what is in a pair (SCM_CREDENTIALS), urgent data and explicit congestion notification of a
 * connection, an interface for multicast that was chosen by its index alone (IP_MULTICAST_IF), which
 * nothing shows. Refused: options of each packet ({@link hiddenObstacle}).
 */
export const socket: DescriptorKind = {
  name: 'socket',
  kind: fileKinds.socket,
  records: [Socket, SocketInet],

  claims: (_scope, { link }) => link.startsWith('socket:['),

  checkpoint(scope, description, table) {
    const facts = readSocket(scope, description);
    if (facts === undefined) {
      refuse(scope, description, {
        reason: 'it does not tell what kind of socket it is',
        remedy: 'checkpoint as root, or as the user who runs the process',
      });
      return;
    }
    const pair = otherEnd(scope, description, facts, table);
    const other = pair?.description;
    const deserted = other === undefined && isDeserted(scope, description, facts);
    const alone = other === undefined && !deserted;
    const obstacle = alone
      ? (obstacleTo(scope, facts) ?? hiddenObstacle(scope, description, facts))
      : undefined;
    if (obstacle !== undefined) {
      refuse(scope, description, { detail: detailOf(facts), ...obstacle });
      return;
    }
    const isConnection = isConnected(scope, description, facts);
    const connection = isConnection ? connectionOf(scope, description, table) : undefined;
    if (isConnection && connection === undefined) return;
    const queue = alone ? nothing : queueOf(scope, description, facts);
    // Both are looked at now: they are filled again one after the other.
    const theirs = pair === undefined ? nothing : queueOf(scope, pair.description, pair.facts);
    if ('reason' in queue || 'reason' in theirs) {
      const held = 'reason' in queue ? queue : theirs;
      if ('reason' in held) refuse(scope, description, { detail: detailOf(facts), ...held });
      return;
    }
    const shape = shapeOf(facts);
    const groups = readGroups(scope, description, shape);
    if ('reason' in groups) {
      refuse(scope, description, { detail: detailOf(facts), ...groups });
      return;
    }
    const waiting = facts.listens && !shape.isTcp ? unixQueueOf(scope, description) : undefined;
    if (alone) tellLosses(scope, description, facts, waiting);
    const answers = scope.frozen.probe(scope.task, description.fd, optionCalls(shape));
    const file = fileOf(scope, facts);
    const { objref } = scope.objhash.of('socket', description.link);
    // Of two ends the second names the first: what is referred to comes first.
    const first = other !== undefined && other.fd < description.fd ? other : undefined;
    if (first !== undefined) table.file(first);
    const peer = first === undefined ? 0 : scope.objhash.of('socket', first.link).objref;
    const isStream = facts.type !== socketTypes.DGRAM;
    scope.emit(Socket, {
      objref,
      domain: facts.domain,
      type: facts.type,
      protocol: facts.protocol,
      state: stateOf(facts, deserted),
      backlog: !facts.listens
        ? 0
        : shape.isTcp
          ? facts.backlog
          : isStream
            ? (waiting?.backlog ?? unixBacklog)
            : 0,
      flags: queue.isEnded && !deserted ? socketShutdown.READ : 0,
      peer,
      mode: file?.mode ?? 0,
      uid: file?.uid ?? 0,
      gid: file?.gid ?? 0,
      _pad: 0,
    });
    scope.emitBytes(CKPT_HDR_BUFFER, isBound(facts.local) ? facts.local : new Uint8Array(0));
    scope.emitArray(SocketOption, [...readOptions(shape, answers, isConnection), ...groups]);
    if (facts.peer !== undefined && isBound(facts.peer)) {
      scope.emitBytes(CKPT_HDR_BUFFER, facts.peer);
    }
    if (queue.messages.length > 0) scope.emitArray(SocketMessage, queue.messages);
    if (connection !== undefined) emitConnection(scope, objref, connection);
    return { object: objref };
  },

  prepare: releaseFilters,
  restore(restoring, files) {
    // What is on its way in it may be in the store.
    restoring.fillNow();
    restoreSocket(restoring, files);
  },
  settle: settleSocket,
};

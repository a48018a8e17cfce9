import type { CheckpointScope, ImageRecord } from '@ckpt/engine';
import { File, fileKinds, Socket, SocketOption, socketDomains, socketTypes } from '@ckpt/format';
import type { Description, Restoring, Table } from './descriptor.ts';
import { setStatus } from './descriptor-flags.ts';
import { O_CLOEXEC } from './path-open.ts';
import { isBound } from './socket-address.ts';
import { readSocket, type SocketFacts } from './socket-facts.ts';
import { checkOptions, setOption } from './socket-options.ts';

/** poll(2): the other end has shut down, or is closed. */
const POLLHUP = 0x10;
const POLLRDHUP = 0x2000;

/** Nothing is on its way, nobody else has it, it has no name, and its end is not near. */
function isQuiet(scope: CheckpointScope, description: Description, facts: SocketFacts): boolean {
  const { frozen, task } = scope;
  const events = frozen.pollFile?.(task, description.fd) ?? 0;
  return (
    facts.domain === socketDomains.UNIX &&
    facts.peer !== undefined &&
    !isBound(facts.peer) &&
    !isBound(facts.local) &&
    facts.unread === 0 &&
    (events & (POLLHUP | POLLRDHUP)) === 0 &&
    (frozen.holders?.(task, description.link) ?? []).length === 0
  );
}

/**
 * The other end of a UNIX socket that socketpair(2) has made, if it is inside and nothing is on
 * its way; undefined otherwise.
 */
export function otherEnd(
  scope: CheckpointScope,
  description: Description,
  facts: SocketFacts,
  table: Table,
): Description | undefined {
  const { inode } = description.info;
  if (inode === undefined || !isQuiet(scope, description, facts)) return undefined;
  const peer = scope.frozen.unixPeer?.(scope.task, inode);
  if (peer === undefined || peer === 0n) return undefined;
  const [other] = table.linked(`socket:[${peer.toString()}]`);
  if (other === undefined) return undefined;
  const theirs = readSocket(scope, other);
  return theirs !== undefined && isQuiet(scope, other, theirs) ? other : undefined;
}

type SocketRecord = ImageRecord<Socket>;

/** The SOCKET that names this one as its peer, or is named by it. */
export function partnerOf({ scope }: Restoring, record: SocketRecord): SocketRecord | undefined {
  const { objref, peer } = record.value;
  const all = scope.document.all(Socket);
  return peer === 0
    ? all.find(({ value }) => value.peer === objref)
    : all.find(({ value }) => value.objref === peer);
}

const types: readonly number[] = [socketTypes.STREAM, socketTypes.DGRAM, socketTypes.SEQPACKET];

/** @throws CkptError EINVAL for two ends that socketpair(2) does not make. */
function checkPair(first: SocketRecord, second: SocketRecord): void {
  const { domain, type } = first.value;
  const alike = second.value.domain === domain && second.value.type === type;
  if (domain !== socketDomains.UNIX || !types.includes(type) || !alike || first === second) {
    throw second.invalid('peer', `no other end of domain ${domain}, type ${type}`);
  }
}

/** Plans both ends of a pair, and places their descriptions. */
export function restorePair(restoring: Restoring, first: SocketRecord, second: SocketRecord): void {
  const { scope, scratch, place } = restoring;
  checkPair(first, second);
  const room = scope.fresh('pair');
  const { domain, type } = first.value;
  scope.call('descriptors', first, 'socketpair', [domain, type, 0, { room, size: 8 }], {
    what: 'a pair of sockets',
  });
  const ends = [first, second].map((record, index) => ({ record, number: scratch(index + 1) }));
  for (const [index, { number }] of ends.entries()) {
    const word = { word: room, index };
    scope.call('descriptors', first, 'dup3', [word, number, O_CLOEXEC], { expect: number });
    scope.call('descriptors', first, 'close', [word]);
  }
  for (const { record, number } of ends) {
    for (const option of checkOptions(record, record.arrayOf(SocketOption))) {
      setOption(scope, record, number, option);
    }
    const file = scope.document
      .all(File)
      .find(({ value }) => value.kind === fileKinds.socket && value.object === record.value.objref);
    if (file === undefined) throw record.invalid('objref', 'no descriptor leads to this socket');
    setStatus(scope, file, number);
    place(file, number);
  }
}

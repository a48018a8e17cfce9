import type { CheckpointScope, ImageRecord, RestoreScope } from '@ckpt/engine';
import {
  ArrayHeader,
  File,
  fileKinds,
  Socket,
  SocketMessage,
  SocketOption,
  socketDomains,
  socketTypes,
} from '@ckpt/format';
import type { Description, Restoring, Table } from './descriptor.ts';
import { F_SETFL, O_NONBLOCK, setStatus } from './descriptor-flags.ts';
import { O_CLOEXEC } from './path-open.ts';
import { isBound } from './socket-address.ts';
import { readSocket, type SocketFacts } from './socket-facts.ts';
import { refill } from './socket-queue.ts';
import { checkOptions, setOption } from './socket-options.ts';

/** poll(2): an error to be told; the other end has shut down, or is closed. */
const POLLERR = 0x8;
const POLLHUP = 0x10;
const POLLRDHUP = 0x2000;

/** One end of a pair, without a name, and nobody else who has it. */
function isEnd({ frozen, task }: CheckpointScope, { link }: Description, facts: SocketFacts) {
  return (
    facts.domain === socketDomains.UNIX &&
    facts.peer !== undefined &&
    !isBound(facts.peer) &&
    !isBound(facts.local) &&
    facts.filter === 0 &&
    facts.owner === 0 &&
    (frozen.holders?.(task, link) ?? []).length === 0
  );
}

/** An end whose state its other end tells of: datagrams are shut down in silence. */
function isWhole(scope: CheckpointScope, description: Description, facts: SocketFacts): boolean {
  const events = scope.frozen.pollFile?.(scope.task, description.fd) ?? 0;
  const isTold = facts.type !== socketTypes.DGRAM || (events & POLLRDHUP) === 0;
  return isEnd(scope, description, facts) && isTold;
}

/**
 * True for a socket whose other end was closed: it reads as ended, and writing to it is EPIPE. Each
 * Java machine keeps one, to put over descriptors that others may still read from.
 */
export function isDeserted(
  scope: CheckpointScope,
  description: Description,
  facts: SocketFacts,
): boolean {
  const { frozen, task } = scope;
  const { inode } = description.info;
  const events = frozen.pollFile?.(task, description.fd) ?? 0;
  return (
    inode !== undefined &&
    facts.type !== socketTypes.DGRAM &&
    isEnd(scope, description, facts) &&
    (events & POLLHUP) !== 0 &&
    (events & POLLERR) === 0 &&
    frozen.unixPeer?.(task, inode) === 0n
  );
}

/** The other end of a UNIX socket that socketpair(2) has made, if it is inside, with its facts. */
export function otherEnd(
  scope: CheckpointScope,
  description: Description,
  facts: SocketFacts,
  table: Table,
): { readonly description: Description; readonly facts: SocketFacts } | undefined {
  const { inode } = description.info;
  if (inode === undefined || !isWhole(scope, description, facts)) return undefined;
  const peer = scope.frozen.unixPeer?.(scope.task, inode);
  if (peer === undefined || peer === 0n) return undefined;
  const [other] = table.linked(`socket:[${peer.toString()}]`);
  if (other === undefined) return undefined;
  const theirs = readSocket(scope, other);
  const isPair = theirs !== undefined && isWhole(scope, other, theirs);
  return isPair ? { description: other, facts: theirs } : undefined;
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

/** shutdown(2) */
const SHUT_RD = 0;

const types: readonly number[] = [socketTypes.STREAM, socketTypes.DGRAM, socketTypes.SEQPACKET];

/** @throws CkptError EINVAL for two ends that socketpair(2) does not make. */
function checkPair(first: SocketRecord, second: SocketRecord): void {
  const { domain, type } = first.value;
  const alike = second.value.domain === domain && second.value.type === type;
  if (domain !== socketDomains.UNIX || !types.includes(type) || !alike || first === second) {
    throw second.invalid('peer', `no other end of domain ${domain}, type ${type}`);
  }
}

/** Plans two ends, which never wait for room. @returns their numbers. */
function makePair({ scope, scratch }: Restoring, from: SocketRecord): readonly [number, number] {
  const room = scope.fresh('pair');
  const { domain, type } = from.value;
  scope.call('descriptors', from, 'socketpair', [domain, type | O_NONBLOCK, 0, { room, size: 8 }], {
    what: 'a pair of sockets',
  });
  const numbers = [scratch(1), scratch(2)] as const;
  for (const [index, number] of numbers.entries()) {
    const word = { word: room, index };
    scope.call('descriptors', from, 'dup3', [word, number, O_CLOEXEC], { expect: number });
    scope.call('descriptors', from, 'close', [word]);
  }
  return numbers;
}

function setOptions(scope: RestoreScope, record: SocketRecord, fd: number): void {
  for (const option of checkOptions(record, record.arrayOf(SocketOption))) {
    setOption(scope, record, fd, option);
  }
}

/** Plans one end of a pair, whose other end is closed. @returns its descriptor. */
export function openDeserted(restoring: Restoring, record: SocketRecord): number {
  const { scope } = restoring;
  const { domain, type, state } = record.value;
  const isStream = type !== socketTypes.DGRAM && types.includes(type);
  if (domain !== socketDomains.UNIX || !isStream) {
    throw record.invalid('state', `a socket of domain ${domain}, type ${type} in state ${state}`);
  }
  const [fd, other] = makePair(restoring, record);
  setOptions(scope, record, fd);
  refill(restoring, record, messagesOf(record), other);
  scope.call('descriptors', record, 'close', [other]);
  scope.call('descriptors', record, 'fcntl', [fd, F_SETFL, 0]);
  return fd;
}

/** What an end has not read. */
function messagesOf(record: SocketRecord): readonly SocketMessage[] {
  const arrays = record.following.filter(({ type }) => type === ArrayHeader.type);
  return arrays.length > 1 ? record.arrayOf(SocketMessage, 1) : [];
}

/** Plans both ends of a pair, and places their descriptions. */
export function restorePair(restoring: Restoring, first: SocketRecord, second: SocketRecord): void {
  const { scope, place } = restoring;
  checkPair(first, second);
  const [one, two] = makePair(restoring, first);
  const ends = [
    [first, one, two],
    [second, two, one],
  ] as const;
  for (const [record, number] of ends) setOptions(scope, record, number);
  for (const [record, , other] of ends) refill(restoring, record, messagesOf(record), other);
  for (const [record, number] of ends) {
    if (record.value.flags !== 0) {
      scope.call('descriptors', record, 'shutdown', [number, SHUT_RD]);
    }
    scope.call('descriptors', record, 'fcntl', [number, F_SETFL, 0]);
    const file = scope.document
      .all(File)
      .find(({ value }) => value.kind === fileKinds.socket && value.object === record.value.objref);
    if (file === undefined) throw record.invalid('objref', 'no descriptor leads to this socket');
    setStatus(scope, file, number);
    place(file, number);
  }
}

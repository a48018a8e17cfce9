import type { CheckpointScope } from '@ckpt/engine';
import { CkptError, connectionEnds, connectionFates, SocketInet, tcpStates } from '@ckpt/format';
import { decodeText } from '@ckpt/io';
import { filterName } from '../netfilter/filter.ts';
import type { Description } from './descriptor.ts';
import { thingOf } from './descriptor.ts';
import { addressText } from './socket-address.ts';
import { ask, closedByUs, found, look, peek, slack } from './socket-connection-look.ts';
import type { SocketFacts } from './socket-facts.ts';
import { getOption, optionNumber, optionValue } from './socket-options.ts';
import { SO_BUF_LOCK, SOL_SOCKET } from './socket-option-table.ts';
import { SO_RCVBUF, SO_SNDBUF, TCP_ULP } from './socket-tcp.ts';

/** poll(2) */
const POLLERR = 8;
const POLLRDHUP = 0x2000;

/** How often a connection is looked at that changes meanwhile. */
const looksMax = 20;
/** Bytes; what is unread of a connection that ends is carried if any new socket has room for it. */
const unreadMax = 1 << 15;

/** A connection as the image has it: its record, and the bytes that go into the store. */
export interface Connection {
  readonly record: Omit<SocketInet, 'socket' | 'index'>;
  readonly contents: readonly Uint8Array[];
}

const nothing: Omit<SocketInet, 'socket' | 'index'> = {
  ...{ fate: connectionFates.CUT, state: 0, ended: 0, options: 0, mss: 0, timestamp: 0 },
  ...{ send_scale: 0, receive_scale: 0, send_sequence: 0, receive_sequence: 0 },
  ...{ received: 0, sent: 0, unsent: 0, send_window_update: 0, send_window: 0 },
  ...{ send_window_max: 0, receive_window: 0, receive_window_update: 0, send_buffer: 0 },
  ...{ receive_buffer: 0, buffer_lock: 0, filter: 0n, flags: 0, _pad: 0 },
};

/** The directions that are over: what the process would see of them. */
function endsOf(state: number, events: number): number {
  const read = (events & POLLRDHUP) !== 0 ? connectionEnds.READ : 0;
  return read | (closedByUs.includes(state) ? connectionEnds.WRITE : 0);
}

const told = new WeakSet<object>();

/** Says what has to be known of connections that nobody answers until a restart. */
function tellFilter({ frozen, task, note }: CheckpointScope): void {
  if (frozen.dies !== true || told.has(frozen)) return;
  told.add(frozen);
  const name = filterName(task.pid, task.startTime);
  note(
    `a packet filter (nftables, table inet ${name}) keeps the other ends of its connections waiting ` +
      `until it is restarted; if it will not be: ckpt release ${task.pid}`,
  );
}

/** @throws CkptError as the host, where there is no repair mode; EAGAIN when it does not come to rest. */
function carried(scope: CheckpointScope, description: Description, events: number): Connection {
  const { frozen, task } = scope;
  let last = look(scope, description);
  for (let looks = 1; !last.isWhole && looks < looksMax; looks++) last = look(scope, description);
  if (!last.isWhole) {
    throw new CkptError('EAGAIN', 'more is received all the time');
  }
  const sizes = [SO_SNDBUF, SO_RCVBUF, SO_BUF_LOCK].map((name) => getOption(SOL_SOCKET, name, 4));
  const [send, receive, lock] = frozen.probe(task, description.fd, sizes);
  const record = {
    ...nothing,
    ...last.record,
    fate: connectionFates.CARRIED,
    ended: endsOf(last.record.state ?? 0, events),
    send_buffer: optionNumber(send) ?? 0,
    receive_buffer: optionNumber(receive) ?? 0,
    buffer_lock: optionNumber(lock) ?? 0,
    filter: frozen.dies === true ? task.startTime : 0n,
  };
  tellFilter(scope);
  return { record, contents: last.contents };
}

/** A connection that ends with the checkpoint, or had ended before, with what was not read yet. */
function ended(
  scope: CheckpointScope,
  { fd }: Description,
  { tcpState, unread }: SocketFacts,
  events: number,
): Connection {
  const state = tcpStates[tcpState as keyof typeof tcpStates];
  const [answer] = scope.frozen.probe(scope.task, fd, [peek(unread + slack)]);
  const bytes = found(answer);
  const { ENDED, RESET, CUT } = connectionFates;
  const isOver = state === tcpStates.CLOSE;
  const isBroken = (events & POLLERR) !== 0 || bytes.length > unreadMax;
  const fate = isBroken ? RESET : isOver ? ENDED : CUT;
  const contents = isBroken ? [] : [bytes];
  const ends = endsOf(state, events);
  const received = contents[0]?.length ?? 0;
  return { record: { ...nothing, fate, state, ended: ends, received }, contents };
}

/** What the kernel itself speaks on a connection, such as tls; undefined: nothing. */
function protocolAbove({ frozen, task }: CheckpointScope, { fd }: Description): string | undefined {
  const [answer] = frozen.probe(task, fd, [ask(TCP_ULP, 16)]);
  const name = optionValue(answer);
  return name === undefined || name.length === 0 ? undefined : decodeText(name);
}

const isRefusal = (error: unknown): error is CkptError => error instanceof CkptError;

/**
 * A TCP connection; undefined when it is refused: it was to be, or was to be carried on and cannot be.
 * @param refuse Is told why then.
 */
export function readConnection(
  scope: CheckpointScope,
  description: Description,
  facts: SocketFacts,
  refuse: (reason: string) => void,
): Connection | undefined {
  const { tcpState, local, peer } = facts;
  const events = scope.frozen.pollFile?.(scope.task, description.fd) ?? 0;
  if (tcpState === 'CLOSE') return ended(scope, description, facts, events);
  const told = scope.options.tcp;
  const thing = `${thingOf(description)}, TCP ${addressText(local)}`;
  const whither = peer === undefined ? '' : ` -> ${addressText(peer)}`;
  let why = 'as told (--tcp=close)';
  if (told === 'refuse') {
    refuse('as told (--tcp=refuse)');
    return undefined;
  }
  if (told !== 'close') {
    try {
      if (peer === undefined) throw new CkptError('ENOTCONN', 'it is not connected yet');
      const above = protocolAbove(scope, description);
      if (above !== undefined) {
        throw new CkptError('EOPNOTSUPP', `the kernel speaks ${above} on it (TCP_ULP)`);
      }
      return carried(scope, description, events);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      why = error.sentence;
      if (told === 'repair') {
        refuse(why);
        return undefined;
      }
    }
  }
  scope.note(`${thing}${whither}: the process will find it closed after a restart: ${why}`);
  return ended(scope, description, facts, events);
}

/** Emits a connection behind its SOCKET. */
export function emitConnection(
  scope: CheckpointScope,
  socket: number,
  { record, contents }: Connection,
): void {
  let index: number | undefined;
  for (const bytes of contents) {
    if (bytes.length === 0) continue;
    const pages = Math.ceil(bytes.length / scope.system.pageSize);
    const first = scope.store.add({ bytes }, pages);
    index ??= first;
  }
  scope.emit(SocketInet, { ...record, socket, index: BigInt(index ?? 0) });
}

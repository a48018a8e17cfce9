import type { CheckpointScope } from '@ckpt/engine';
import { connectionFates } from '@ckpt/format';
import type { Description, Table } from './descriptor.ts';
import { refuse } from './descriptor.ts';
import { hostText, portOf } from './socket-address.ts';
import { readConnection, type Connection } from './socket-connection.ts';
import { readSocket, shapeOf, type SocketFacts } from './socket-facts.ts';
import { detailOf } from './socket-refusal.ts';

/** poll(2) */
const POLLRDHUP = 0x2000;
/** How often two ends are looked at that tell different things of what is between them. */
const looksMax = 50;

/** True for a TCP socket that is connected, connects, or has been connected. */
export function isConnected(
  scope: CheckpointScope,
  { fd }: Description,
  facts: SocketFacts,
): boolean {
  if (!shapeOf(facts).isTcp || facts.listens) return false;
  if (facts.tcpState !== 'CLOSE' || facts.peer !== undefined) return true;
  return ((scope.frozen.pollFile?.(scope.task, fd) ?? 0) & POLLRDHUP) !== 0;
}

interface Found {
  readonly description: Description;
  readonly facts: SocketFacts;
  connection: Connection | undefined;
}

const end = (bytes: Uint8Array | undefined): string =>
  bytes === undefined ? '' : `${hostText(bytes)} ${portOf(bytes)}`;

function read(scope: CheckpointScope, { description, facts }: Omit<Found, 'connection'>) {
  return readConnection(scope, description, facts, (why) => {
    refuse(scope, description, {
      detail: detailOf(facts),
      reason: `it is a connection that cannot be carried on: ${why}`,
      remedy: 'pass --tcp=close: the process finds it closed after a restart',
    });
  });
}

/** True when what one end forgot, as the other has acknowledged it, has been seen to arrive there. */
function agrees(from: Connection, to: Connection): boolean {
  const arrived = to.record.receive_sequence + to.record.received;
  return ((from.record.send_sequence - arrived) | 0) <= 0;
}

/** Pairs of connections whose both ends the process has. */
function pairsOf(all: readonly Found[]): readonly (readonly [Found, Found])[] {
  const waiting = new Map<string, Found>();
  const pairs: (readonly [Found, Found])[] = [];
  for (const found of all) {
    if (found.connection?.record.fate !== connectionFates.CARRIED) continue;
    const [local, peer] = [end(found.facts.local), end(found.facts.peer)];
    const other = waiting.get(`${peer} ${local}`);
    if (other === undefined) waiting.set(`${local} ${peer}`, found);
    else pairs.push([other, found]);
  }
  return pairs;
}

/** Packets are still on their way between both ends of a process that stands still. */
function reconcile(scope: CheckpointScope, [one, two]: readonly [Found, Found]): void {
  for (let looks = 0; looks < looksMax; looks++) {
    const [a, b] = [one.connection, two.connection];
    if (a === undefined || b === undefined || (agrees(a, b) && agrees(b, a))) return;
    one.connection = read(scope, one);
    two.connection = read(scope, two);
  }
  refuse(scope, one.description, {
    detail: detailOf(one.facts),
    reason: 'its other end is inside as well, and it does not come to rest',
    remedy: 'checkpoint once more',
  });
}

const tables = new WeakMap<Table, ReadonlyMap<Description, Found>>();

/** All connections of a task, looked at one after the other at one time. */
function readAll(scope: CheckpointScope, table: Table): ReadonlyMap<Description, Found> {
  const all = table.descriptions
    .filter(({ link }) => link.startsWith('socket:['))
    .flatMap((description): readonly Found[] => {
      const facts = readSocket(scope, description);
      if (facts === undefined || !isConnected(scope, description, facts)) return [];
      return [{ description, facts, connection: read(scope, { description, facts }) }];
    });
  for (const pair of pairsOf(all)) reconcile(scope, pair);
  return new Map(all.map((found) => [found.description, found]));
}

/** The connection behind a descriptor; undefined when it was refused. */
export function connectionOf(
  scope: CheckpointScope,
  description: Description,
  table: Table,
): Connection | undefined {
  const known = tables.get(table) ?? readAll(scope, table);
  tables.set(table, known);
  return known.get(description)?.connection;
}

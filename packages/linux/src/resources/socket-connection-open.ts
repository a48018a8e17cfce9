import type { Value } from '@ckpt/engine';
import { connectionFates, socketDomains, tcpOptions } from '@ckpt/format';
import type { Restoring } from './descriptor.ts';
import { addressText } from './socket-address.ts';
import {
  isCarried,
  markCarried,
  setRepair,
  type ConnectionRecord,
  type SocketRecord,
} from './socket-connection-restore.ts';
import { loadContents, makeClosed } from './socket-connection-closed.ts';
import { setOption, type KnownOption } from './socket-options.ts';
import { SO_BUF_LOCK, SO_REUSEADDR, SOL_SOCKET } from './socket-option-table.ts';
import {
  IPPROTO_TCP,
  mssMax,
  mssMin,
  optionKinds,
  queues,
  SO_RCVBUFFORCE,
  SO_SNDBUFFORCE,
  TCP_MAXSEG,
  TCP_QUEUE_SEQ,
  TCP_REPAIR_OPTIONS,
  TCP_REPAIR_QUEUE,
  TCP_REPAIR_WINDOW,
  TCP_TIMESTAMP,
  wordBytes,
} from './socket-tcp.ts';

/** Bytes of one queue; net.ipv4.tcp_rmem and tcp_wmem end far below. */
const queueMax = 2 ** 30;
const scaleMax = 14;
const bufferMax = 2 ** 30;
/** Bytes a buffer has to spare beside what is put into it. */
const spare = 1 << 18;

/** @throws CkptError EINVAL for a connection that no checkpoint writes. */
function check(record: ConnectionRecord): void {
  const { value } = record;
  const fates: readonly number[] = Object.values(connectionFates);
  if (!fates.includes(value.fate)) throw record.invalid('fate', `fate ${value.fate}`);
  if (value.ended > 3) throw record.invalid('ended', `directions ${value.ended}`);
  for (const field of ['received', 'sent', 'unsent'] as const) {
    if (value[field] > queueMax) throw record.invalid(field, `${value[field]} bytes in a queue`);
  }
  for (const field of ['send_scale', 'receive_scale'] as const) {
    if (value[field] > scaleMax) throw record.invalid(field, `a window scale of ${value[field]}`);
  }
  for (const field of ['send_buffer', 'receive_buffer'] as const) {
    if (value[field] > bufferMax) throw record.invalid(field, `a buffer of ${value[field]} bytes`);
  }
  if (value.buffer_lock > 3) throw record.invalid('buffer_lock', `lock ${value.buffer_lock}`);
}

/** What both ends agreed on, as pairs of kind and value. */
function agreed({ value }: ConnectionRecord): readonly number[] {
  const { options, mss, send_scale, receive_scale } = value;
  const has = (bit: number): boolean => (options & bit) !== 0;
  return [
    ...[optionKinds.mss, mss],
    ...(has(tcpOptions.WSCALE) ? [optionKinds.window, send_scale | (receive_scale << 16)] : []),
    ...(has(tcpOptions.SACK) ? [optionKinds.sack, 0] : []),
    ...(has(tcpOptions.TIMESTAMPS) ? [optionKinds.timestamps, 0] : []),
  ];
}

/** What a connection is made from. */
export interface Ingredients {
  readonly local: Uint8Array;
  readonly peer: Uint8Array;
  readonly options: readonly KnownOption[];
}

/** One connection that is made to go on. */
class Repair {
  readonly #restoring: Restoring;
  readonly #record: ConnectionRecord;
  readonly #fd: Value;

  constructor(restoring: Restoring, record: ConnectionRecord, fd: Value) {
    this.#restoring = restoring;
    this.#record = record;
    this.#fd = fd;
  }

  set(level: number, name: number, blob: Uint8Array, what: string, failure?: 'warn'): void {
    const args = [this.#fd, level, name, { blob }, blob.length];
    this.#restoring.scope.call('descriptors', this.#record, 'setsockopt', args, {
      what,
      ...(failure === undefined ? {} : { failure }),
    });
  }

  tcp(name: number, ...values: readonly number[]): void {
    this.set(IPPROTO_TCP, name, wordBytes(...values), `TCP option ${name} of a connection`);
  }

  /** Sizes that hold what is put into them, or those of the image. */
  buffers(send: number, receive: number): void {
    const what = 'the buffers of a connection';
    this.set(SOL_SOCKET, SO_SNDBUFFORCE, wordBytes(send >> 1), what);
    this.set(SOL_SOCKET, SO_RCVBUFFORCE, wordBytes(receive >> 1), what);
    this.set(SOL_SOCKET, SO_BUF_LOCK, wordBytes(this.#record.value.buffer_lock), what);
  }

  /** What was received, then what was sent: they are put into the queues. */
  fill(): void {
    const { value } = this.#record;
    this.tcp(TCP_REPAIR_QUEUE, queues.receive);
    loadContents(this.#restoring, this.#record, this.#fd, 0);
    this.tcp(TCP_REPAIR_QUEUE, queues.send);
    loadContents(this.#restoring, this.#record, this.#fd, 1);
    this.tcp(TCP_REPAIR_QUEUE, queues.none);
    const { send_window_update, send_window, send_window_max } = value;
    const { receive_window, receive_window_update } = value;
    const words = [send_window_update, send_window, send_window_max];
    const blob = wordBytes(...words, receive_window, receive_window_update);
    const what = 'the windows of a connection (TCP_REPAIR_WINDOW)';
    this.set(IPPROTO_TCP, TCP_REPAIR_WINDOW, blob, what, 'warn');
  }
}

/** Plans a connection as it was, in repair mode: the other end notices nothing yet. */
function makeCarried(
  restoring: Restoring,
  record: ConnectionRecord,
  socket: SocketRecord,
  { local, peer, options }: Ingredients,
): Value {
  const { scope } = restoring;
  const { domain, type, protocol } = socket.value;
  const { value } = record;
  const text = `${addressText(local)} -> ${addressText(peer)}`;
  const fd = scope.call('descriptors', socket, 'socket', [domain, type, protocol], {
    what: 'a socket',
  });
  const repair = new Repair(restoring, record, fd);
  setRepair(scope, 'descriptors', record, fd, 'on', text);
  for (const option of options) if (option.early) setOption(scope, socket, fd, option);
  const queued = value.sent + value.unsent;
  repair.buffers(
    Math.min(bufferMax, Math.max(value.send_buffer, queued * 4 + spare)),
    Math.min(bufferMax, Math.max(value.receive_buffer, value.received * 4 + spare)),
  );
  scope.call('descriptors', record, 'bind', [fd, { blob: local }, local.length], {
    what: `bind ${addressText(local)}, which a connection had`,
  });
  repair.tcp(TCP_REPAIR_QUEUE, queues.send);
  repair.tcp(TCP_QUEUE_SEQ, value.send_sequence);
  repair.tcp(TCP_REPAIR_QUEUE, queues.receive);
  repair.tcp(TCP_QUEUE_SEQ, value.receive_sequence);
  // What is agreed on below comes too late for the size of segments, which is reckoned here.
  repair.tcp(TCP_MAXSEG, Math.max(mssMin, Math.min(mssMax, value.mss)));
  scope.call('descriptors', record, 'connect', [fd, { blob: peer }, peer.length], {
    what: `carry on the connection ${text}: if there is such a connection, pass --tcp=close`,
  });
  repair.tcp(TCP_MAXSEG, 0);
  repair.tcp(TCP_REPAIR_OPTIONS, ...agreed(record));
  if ((value.options & tcpOptions.TIMESTAMPS) !== 0) repair.tcp(TCP_TIMESTAMP, value.timestamp);
  for (const option of options) {
    const isReuse = option.level === SOL_SOCKET && option.name === SO_REUSEADDR;
    if (!option.early && !isReuse) setOption(scope, socket, fd, option);
  }
  repair.fill();
  if (value.unsent > 0) {
    // Sent for real, and if need be once more: the other end knows it by its numbers.
    setRepair(scope, 'descriptors', record, fd, 'quiet', text);
    loadContents(restoring, record, fd, 2);
    setRepair(scope, 'descriptors', record, fd, 'on', text);
  }
  repair.buffers(value.send_buffer, value.receive_buffer);
  markCarried(restoring, socket);
  return fd;
}

/** Plans a connection: one that goes on, or one that the process finds closed. */
export function openConnection(
  restoring: Restoring,
  record: ConnectionRecord,
  socket: SocketRecord,
  ingredients: Ingredients,
): Value {
  const { local, peer } = ingredients;
  check(record);
  const isWhole = local.length > 0 && peer.length > 0;
  const needed = record.value.fate === connectionFates.CARRIED;
  if (needed && !isWhole) throw socket.invalid('address', 'a connection without two addresses');
  const isV4 = socket.value.domain === socketDomains.INET;
  const text = `${addressText(local)} -> ${addressText(peer)}`;
  return isCarried(restoring.scope, record, { local, text })
    ? makeCarried(restoring, record, socket, ingredients)
    : makeClosed(restoring, record, socket, { ...ingredients, isV4 });
}

import type { Answer, Call } from '@ckpt/engine';
import { word } from './descriptor-world.ts';

/** What a made-up socket says to the calls of a probe. */
export interface FakeSocket {
  readonly domain?: number;
  readonly type?: number;
  readonly protocol?: number;
  readonly listens?: boolean;
  readonly local?: Uint8Array;
  readonly peer?: Uint8Array;
  readonly unread?: number;
  /** TCP_INFO: state, and how many wait and may wait. */
  readonly tcp?: readonly [state: number, waiting: number, backlog: number];
  /** Other options: "level:name". */
  readonly options?: Readonly<Record<string, Uint8Array>>;
  readonly owner?: number;
}

/** 127.0.0.1 and a port. */
export const inet = (port: number, ...address: readonly number[]): Uint8Array =>
  Uint8Array.of(
    2,
    0,
    port >> 8,
    port & 255,
    ...(address.length === 4 ? address : [127, 0, 0, 1]),
    ...[0, 0, 0, 0, 0, 0, 0, 0],
  );

export const unix = (path: string): Uint8Array =>
  Uint8Array.of(1, 0, ...new TextEncoder().encode(path), 0);

function option(value: Uint8Array): Answer {
  return { result: 0n, out: [value, word(value.length)] };
}

function tcpInfo([state, waiting, backlog]: NonNullable<FakeSocket['tcp']>): Uint8Array {
  const bytes = new Uint8Array(104);
  bytes[0] = state;
  new DataView(bytes.buffer).setUint32(24, waiting, true);
  new DataView(bytes.buffer).setUint32(28, backlog, true);
  return bytes;
}

/** Answers the calls of a probe as such a socket does. */
export function socketAnswers(socket: FakeSocket) {
  const { domain = 2, type = 1, protocol = 6, listens = false, unread = 0, owner = 0 } = socket;
  const { local = inet(0, 0, 0, 0, 0), peer, tcp } = socket;
  const options: Readonly<Record<string, Uint8Array>> = {
    '1:39': word(domain),
    '1:3': word(type),
    '1:38': word(protocol),
    '1:30': word(listens ? 1 : 0),
    ...(tcp === undefined ? {} : { '6:11': tcpInfo(tcp) }),
    ...socket.options,
  };
  return ({ call, args }: Call): Partial<Answer> | undefined => {
    if (call === 'getsockname') return option(local);
    if (call === 'getpeername') return peer === undefined ? { result: -107n } : option(peer);
    if (call === 'ioctl') return { result: 0n, out: [word(unread)] };
    if (call === 'fcntl') return { result: 0n, out: [Uint8Array.of(1, 0, 0, 0, ...word(owner))] };
    const [, level, name] = args.map(Number);
    const value = options[`${level}:${name}`];
    return value === undefined ? undefined : option(value);
  };
}

import type { Argument, Call } from '@ckpt/engine';

/** tcp(7), linux/tcp.h */
export const IPPROTO_TCP = 6;
export const TCP_MAXSEG = 2;
export const TCP_INFO = 11;
export const TCP_REPAIR = 19;
export const TCP_REPAIR_QUEUE = 20;
export const TCP_QUEUE_SEQ = 21;
export const TCP_REPAIR_OPTIONS = 22;
export const TCP_TIMESTAMP = 24;
export const TCP_REPAIR_WINDOW = 29;
export const TCP_ULP = 31;
/** Values of TCP_REPAIR. `quiet`: off, without a packet to the other end. */
export const repairModes = { on: 1, off: 0, quiet: -1 } as const;
/** Values of TCP_REPAIR_QUEUE. */
export const queues = { none: 0, receive: 1, send: 2 } as const;
/** Codes of TCP_REPAIR_OPTIONS are kinds of TCP options (RFC 9293). */
export const optionKinds = { mss: 2, window: 3, sack: 4, timestamps: 8 } as const;

/** Bytes: what the kernel takes for TCP_MAXSEG (net/tcp.h: TCP_MIN_MSS, MAX_TCP_WINDOW). */
export const mssMin = 88;
export const mssMax = 32767;

/** socket(7) */
export const SO_SNDBUF = 7;
export const SO_RCVBUF = 8;
export const SO_SNDBUFFORCE = 32;
export const SO_RCVBUFFORCE = 33;
/** recv(2) */
export const MSG_PEEK = 2;
export const MSG_DONTWAIT = 0x40;
/** linux/sockios.h */
export const FIONREAD = 0x541b;
export const SIOCOUTQ = 0x5411;
export const SIOCOUTQNSD = 0x894b;

export function wordBytes(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of values.entries()) view.setInt32(index * 4, value | 0, true);
  return bytes;
}

/** A call of a probe that sets an option. */
export const setNumber = (fd: Argument, level: number, name: number, value: number): Call => ({
  call: 'setsockopt',
  args: [fd, level, name, { in: wordBytes(value) }, 4],
});

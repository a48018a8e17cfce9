import { bytes, flags, i32, oneOf, record, struct, u32, type Infer } from '../struct.ts';

export const socketDomains = { UNIX: 1, INET: 2, INET6: 10, NETLINK: 16 };
export const socketTypes = { STREAM: 1, DGRAM: 2, RAW: 3, SEQPACKET: 5 };
export const socketStates = { UNCONNECTED: 1, LISTENING: 2, CONNECTED: 3 };

/** A socket. Its local address follows as BUFFER, then an ARRAY of socket_option. */
export const Socket = record(
  'SOCKET',
  701,
  'A socket; its address follows as BUFFER, its options as ARRAY of socket_option.',
  {
    objref: i32('number of this object'),
    domain: u32('socket(2)', oneOf(socketDomains)),
    type: u32('socket(2)', oneOf(socketTypes)),
    protocol: u32('socket(2)'),
    state: u32('what it does', oneOf(socketStates)),
    backlog: u32('listen(2)'),
    flags: u32('none now', flags({})),
    _pad: u32('zero'),
  },
);
export type Socket = Infer<typeof Socket>;

export const SocketOption = struct('socket_option', 'An option that is not at its default.', {
  level: i32('setsockopt(2)'),
  name: i32('setsockopt(2)'),
  length: u32('bytes of the value'),
  value: bytes(36, 'as getsockopt(2) gives it'),
});
export type SocketOption = Infer<typeof SocketOption>;

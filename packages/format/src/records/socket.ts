import { bytes, i32, reserved, u32, u64 } from '../field.ts';
import { array, maybe, payload } from '../follow.ts';
import { flags, objref, octal, oneOf } from '../notation.ts';
import { record, struct, type Infer } from '../struct.ts';

/** AF_* of linux/socket.h */
export const socketDomains = { UNIX: 1, INET: 2, INET6: 10, NETLINK: 16 };
/** SOCK_* of linux/net.h */
export const socketTypes = { STREAM: 1, DGRAM: 2, RAW: 3, SEQPACKET: 5 };
/** This format's own. DESERTED: of a socketpair(2) whose other end was closed. */
export const socketStates = { UNCONNECTED: 1, LISTENING: 2, CONNECTED: 3, DESERTED: 4 };

export const SocketOption = struct('socket_option', 'An option that is not at its default.', {
  level: i32('setsockopt(2)'),
  name: i32('setsockopt(2)'),
  length: u32('bytes of the value that count'),
  value: bytes(36, 'as getsockopt(2) gives it'),
});
export type SocketOption = Infer<typeof SocketOption>;

/** This format's own. READ: nothing more will be read. */
export const socketShutdown = { READ: 1 };

export const SocketMessage = struct('socket_message', 'What was sent to a socket and not read.', {
  index: u64('first page of it in the store'),
  length: u32('bytes'),
  _pad: reserved(),
});
export type SocketMessage = Infer<typeof SocketMessage>;

/** A socket. Its local address follows as BUFFER, then an ARRAY of socket_option. */
export const Socket = record(
  'SOCKET',
  701,
  'A socket.',
  {
    objref: i32('number of this object', objref),
    domain: u32('address family (socket(2))', oneOf(socketDomains, 'AF_')),
    type: u32('socket(2), without SOCK_CLOEXEC and SOCK_NONBLOCK', oneOf(socketTypes, 'SOCK_')),
    protocol: u32('socket(2), as SO_PROTOCOL gives it'),
    state: u32('what it does', oneOf(socketStates)),
    backlog: u32('listen(2)'),
    flags: u32('READ: shut down for reading (shutdown(2))', flags(socketShutdown)),
    peer: i32('objref of the SOCKET at its other end (socketpair(2)); 0: none', objref),
    mode: u32('st_mode of the file that bind(2) made (unix(7)); 0: none', octal),
    uid: u32('its owner'),
    gid: u32('its group'),
    _pad: reserved(),
  },
  [
    payload('BUFFER', 'local address: struct sockaddr, as getsockname(2) gives it; empty: none'),
    array(SocketOption, 'in the order in which they are set'),
    maybe(payload('BUFFER', 'address it is connected to, as getpeername(2) gives it')),
    maybe(array(SocketMessage, 'what an end of a pair has not read; a stream is one message')),
  ],
);
export type Socket = Infer<typeof Socket>;

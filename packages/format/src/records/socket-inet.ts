import { i32, reserved, u32, u64 } from '../field.ts';
import { byteSize, flags, hex, objref, oneOf } from '../notation.ts';
import { record, type Infer } from '../struct.ts';

/**
 * What becomes of a connection. CARRIED: it goes on. CUT: the process finds it closed by the other
 * end. ENDED: both ends had closed it. RESET: it had broken, and the process has not been told.
 */
export const connectionFates = { CARRIED: 1, CUT: 2, ENDED: 3, RESET: 4 };

/** linux/tcp_states.h */
export const tcpStates = {
  ESTABLISHED: 1,
  SYN_SENT: 2,
  SYN_RECV: 3,
  FIN_WAIT1: 4,
  FIN_WAIT2: 5,
  TIME_WAIT: 6,
  CLOSE: 7,
  CLOSE_WAIT: 8,
  LAST_ACK: 9,
  LISTEN: 10,
  CLOSING: 11,
};

/** Directions that are over: READ gives an end of file, WRITE gives EPIPE. */
export const connectionEnds = { READ: 1, WRITE: 2 };

/** tcpi_options of struct tcp_info (linux/tcp.h). */
export const tcpOptions = { TIMESTAMPS: 1, SACK: 2, WSCALE: 4, ECN: 8, ECN_SEEN: 16, SYN_DATA: 32 };

/**
 * A TCP connection, after its SOCKET, which has both addresses. What was received, sent and not
 * acknowledged, and not sent yet is in the store, in this order, each from a page of its own on.
 */
export const SocketInet = record('SOCKET_INET', 706, 'A TCP connection.', {
  socket: i32('objref of its SOCKET', objref),
  fate: u32('what becomes of it', oneOf(connectionFates)),
  state: u32('TCP state when it was written (linux/tcp_states.h)', oneOf(tcpStates, 'TCP_')),
  ended: u32('directions that are over', flags(connectionEnds)),
  options: u32('what both ends agreed on', flags(tcpOptions)),
  mss: u32('largest segment that the other end takes, bytes (TCP_MAXSEG)'),
  send_scale: u32('window scale of the other end, bits'),
  receive_scale: u32('our window scale, bits'),
  timestamp: u32('our clock of timestamps (TCP_TIMESTAMP)'),
  send_sequence: u32('sequence number of the first byte that was not acknowledged', hex),
  receive_sequence: u32('sequence number of the first byte that was not read', hex),
  received: u32('received and not read', byteSize),
  sent: u32('sent and not acknowledged', byteSize),
  unsent: u32('written and not sent', byteSize),
  send_window_update: u32('snd_wl1 of struct tcp_repair_window (linux/tcp.h)', hex),
  send_window: u32('snd_wnd', byteSize),
  send_window_max: u32('max_window', byteSize),
  receive_window: u32('rcv_wnd', byteSize),
  receive_window_update: u32('rcv_wup', hex),
  send_buffer: u32('SO_SNDBUF', byteSize),
  receive_buffer: u32('SO_RCVBUF', byteSize),
  buffer_lock: u32('SO_BUF_LOCK: sizes that the program has fixed'),
  index: u64('first stored page; 0 when nothing is stored'),
  filter: u64(
    'start time of the process: the packet filter that holds the connection back until a restart ' +
      'is the nftables table inet ckpt-PID-START; 0: there is none',
  ),
  flags: u32('zero: none are defined', flags({})),
  _pad: reserved(),
});
export type SocketInet = Infer<typeof SocketInet>;

import { hexOf } from './hex.ts';
import type { SocketFile } from './socket.ts';
import { refuse } from './refuse.ts';

const SO_REUSEADDR = 2;
const SO_REUSEPORT = 15;
/** net.ipv4.ip_local_port_range begins there. */
const portFirst = 32_768;

/** Which sockets of a machine have which local addresses. */
export class BoundAddresses {
  readonly #bound = new Map<string, Set<SocketFile>>();

  #of(socket: SocketFile, address: Uint8Array): Set<SocketFile> {
    const { domain, type } = socket.kind;
    const key = `${domain}:${type}:${hexOf(address)}`;
    const known = this.#bound.get(key) ?? new Set<SocketFile>();
    this.#bound.set(key, known);
    return known;
  }

  /** Sockets that have an address. */
  at(socket: SocketFile, address: Uint8Array): readonly SocketFile[] {
    return [...this.#of(socket, address)];
  }

  /** @throws CkptError EADDRINUSE */
  bind(socket: SocketFile, address: Uint8Array): void {
    const others = this.#of(socket, address);
    for (const other of others) {
      const both = (name: number): boolean => socket.flag(name) && other.flag(name);
      // Repair binds to what it wants.
      if (socket.tcp?.isRepaired === true) break;
      const shares = both(SO_REUSEPORT) || (both(SO_REUSEADDR) && !other.isListening);
      if (!shares) refuse('EADDRINUSE', 'another socket has this address');
    }
    others.add(socket);
  }

  /** @throws CkptError EADDRINUSE when another socket listens there. */
  checkListen(socket: SocketFile, address: Uint8Array): void {
    const others = this.at(socket, address).filter((other) => other !== socket);
    if (others.some((other) => other.isListening && !socket.flag(SO_REUSEPORT))) {
      refuse('EADDRINUSE', 'another socket listens there');
    }
  }

  release(socket: SocketFile, address: Uint8Array): void {
    this.#of(socket, address).delete(socket);
  }

  /** A port that nobody has. */
  freePort(socket: SocketFile, withPort: (port: number) => Uint8Array): Uint8Array {
    for (let port = portFirst; port < 61_000; port++) {
      const address = withPort(port);
      if (this.#of(socket, address).size === 0) return address;
    }
    return refuse('EADDRINUSE', 'no port is free');
  }
}

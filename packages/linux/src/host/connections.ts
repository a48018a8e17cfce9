import type { Answer, Call } from '@ckpt/engine';
import { CkptError } from '@ckpt/format';
import { addToFilter, filterName, makeFilter, type Ends } from '../netfilter/filter.ts';
import { Deputy } from './deputy.ts';
import { netfilterSocket, NetfilterSocket } from './netfilter-socket.ts';
import { probe } from './probe.ts';
import { failure } from './syscall.ts';

/** tcp(7), linux/tcp.h: repair mode, and its end without a packet to the other end. */
const IPPROTO_TCP = 6;
const TCP_REPAIR = 19;
const [on, off] = [1, -1];
/** socket(7) */
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_SNDBUFFORCE = 32;
/** Bytes: rules of some hundred bytes for each of many connections. */
const messageMax = 1 << 26;
const duplicate = -1000;

function word(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  return bytes;
}

const set = (fd: number, level: number, name: number, value: Uint8Array): Call => ({
  call: 'setsockopt',
  args: [fd, level, name, { in: value }, value.length],
});

const repair = (fd: number, mode: number): Call => set(fd, IPPROTO_TCP, TCP_REPAIR, word(mode));

function addressIn(answer: Answer | undefined): Uint8Array {
  const [bytes, length] = answer?.out ?? [];
  if (answer?.result !== 0n || bytes === undefined || length === undefined) {
    throw new CkptError('ENOTCONN', 'the connection has ended');
  }
  return bytes.slice(0, new DataView(length.buffer, length.byteOffset).getInt32(0, true));
}

const questions: readonly Call[] = [
  { call: 'getsockname', args: [duplicate, { out: 128 }, { inout: word(128) }] },
  { call: 'getpeername', args: [duplicate, { out: 128 }, { inout: word(128) }] },
  {
    call: 'getsockopt',
    args: [duplicate, SOL_SOCKET, SO_REUSEADDR, { out: 4 }, { inout: word(4) }],
  },
];

/** What is needed to know of a process with connections. */
export interface Connected {
  readonly pid: number;
  /** One of its threads that live. */
  readonly tid: number;
  readonly startTime: bigint;
  readonly pidfd: number;
  /** It will be killed without having run on. */
  readonly dies: boolean;
  /** Makes one, which keeps the filters of a socket to nf_tables. */
  readonly deputy: (filterFd: number | undefined) => Deputy;
}

/**
 * The TCP connections of a frozen process that were looked at in repair mode (tcp(7)), which stops
 * a connection for as long as it is on: it is turned on and off by a deputy, in one go. If the
 * process is to die a packet filter keeps its connections quiet: first one that ends with the
 * deputy, and so with us, so that the process goes on unharmed if we end; then, from the kill on,
 * one that stays for the restart.
 */
export class Connections {
  readonly #process: Connected;
  readonly #held = new Map<number, Ends>();
  #deputy: Deputy | undefined;
  #filter: NetfilterSocket | undefined;

  constructor(process: Connected) {
    this.#process = process;
  }

  /**
   * Makes calls on a connection in repair mode; -1000 stands for its descriptor.
   * @throws CkptError EPERM without CAP_NET_ADMIN; as nf_tables where it cannot filter.
   */
  repair(fd: number, calls: readonly Call[]): readonly Answer[] {
    const [local, peer, reuse] = probe(this.#process.pidfd, fd, questions);
    const ends = { local: addressIn(local), peer: addressIn(peer) };
    if (this.#process.dies) this.#filter ??= new NetfilterSocket();
    this.#deputy ??= this.#process.deputy(this.#filter?.fd);
    const own = this.#deputy.duplicate(fd);
    if (this.#filter !== undefined) this.#hold(fd, ends, this.#filter);
    // The end of repair mode clears SO_REUSEADDR, too.
    const [reused] = reuse?.out ?? [];
    const mine = calls.map(({ call, args }) => ({
      call,
      args: args.map((argument) => (argument === duplicate ? own : argument)),
    }));
    const first = Deputy.unlessItRuns(this.#process.tid);
    const all = this.#deputy.all([
      ...first,
      repair(own, on),
      ...mine,
      repair(own, off),
      set(own, SOL_SOCKET, SO_REUSEADDR, reused ?? word(0)),
    ]);
    const [begun, ...answers] = all.slice(first.length);
    if (begun?.result !== 0n) {
      throw failure(Number(-(begun?.result ?? -1n)), 'repair mode of a connection (CAP_NET_ADMIN)');
    }
    return answers.slice(0, calls.length);
  }

  #hold(fd: number, ends: Ends, filter: NetfilterSocket): void {
    if (this.#held.has(fd)) return;
    const { pid, startTime } = this.#process;
    const name = `${filterName(pid, startTime)}-frozen`;
    const isFirst = this.#held.size === 0;
    filter.send(isFirst ? makeFilter(name, [ends], true) : addToFilter(name, ends));
    this.#held.set(fd, ends);
  }

  /**
   * Kills the process without a word to the other ends of its connections, which find a filter in
   * its place. From `diesWithUs` on, which is called when the deputy is sure to do that, the process
   * must not survive us: it would run on for a moment, and what it did then would be in no image.
   * Where we end before that, the deputy finds it running, and leaves it alone.
   * @returns False when there are none: it is to be killed as any other.
   */
  kill(diesWithUs: () => void): boolean {
    const deputy = this.#deputy;
    if (deputy === undefined || this.#held.size === 0) return false;
    const { pid, tid, startTime } = this.#process;
    const fd = deputy.must('socket', netfilterSocket, 'a socket to nf_tables');
    deputy.all([set(fd, SOL_SOCKET, SO_SNDBUFFORCE, word(messageMax))]);
    const filter = makeFilter(filterName(pid, startTime), [...this.#held.values()], false);
    const silent = [...this.#held.keys()].map((each) => repair(deputy.duplicate(each), on));
    deputy.all(
      [
        ...Deputy.unlessItRuns(tid),
        { call: 'write', args: [fd, { in: filter }, filter.length] },
        ...silent,
        Deputy.kill,
      ],
      diesWithUs,
    );
    return true;
  }

  /** Nothing is left of all this. */
  end(): void {
    this.#deputy?.end();
    this.#deputy = undefined;
    this.#filter?.close();
    this.#filter = undefined;
    this.#held.clear();
  }
}

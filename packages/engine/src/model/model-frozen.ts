import { CkptError } from '@ckpt/format';
import { ckptKwrite } from '@ckpt/io';
import type { Answer, Argument, Call } from '../call.ts';
import type { Frozen, PageRun, Task, ThreadState } from '../frozen.ts';
import { pageSize } from './address-space.ts';
import { makeCall } from './all-calls.ts';
import { Arena } from './arena.ts';
import { EpollFile } from './epoll.ts';
import type { Inode } from './file-system.ts';
import { pathOfInode } from './inotify.ts';
import { PathFile } from './path-file.ts';
import { FifoEnd, PipeEnd } from './pipe.ts';
import { behind, linkProc, listProc, readProc, statProc } from './proc-files.ts';
import type { ModelProcess } from './process.ts';
import type { Range } from './ranges.ts';
import { SocketFile } from './socket.ts';
import type { ModelThread } from './thread.ts';

const SIGKILL = 9;
/** What stands for a descriptor in the calls of a probe. */
const duplicate = -1000n;
/** Beyond what a process can map: memory that is lent for questions. */
const lent: Range = { start: 1n << 47n, end: (1n << 47n) + (1n << 32n) };

function lend(arena: Arena, argument: Argument, out: { address: bigint; size: number }[]): bigint {
  if (typeof argument !== 'object') return BigInt(argument);
  const bytes =
    'out' in argument
      ? new Uint8Array(argument.out)
      : ('in' in argument ? argument.in : argument.inout).slice();
  const address = arena.lend(bytes);
  if (!('in' in argument)) out.push({ address, size: bytes.length });
  return address;
}

/**
 * System calls of a thread, with memory that is lent for them; `fd` stands for the descriptor of a
 * probe.
 * @throws CkptError ENOSYS for what the model does not have.
 */
export function callModel(
  process: ModelProcess,
  thread: ModelThread,
  calls: readonly Call[],
  fd?: number,
): readonly Answer[] {
  const arena = new Arena(lent);
  process.user.arena = arena;
  try {
    return calls.map(({ call, args }) => {
      const out: { address: bigint; size: number }[] = [];
      const words = args.map((argument) => lend(arena, argument, out));
      const given = words.map((word) =>
        fd !== undefined && word === duplicate ? BigInt(fd) : word,
      );
      const result = makeCall({ process, thread }, call, given);
      const answer = {
        result,
        out: out.map(({ address, size }) =>
          size === 0 ? new Uint8Array(0) : arena.read(address, size),
        ),
      };
      arena.reset();
      return answer;
    });
  } finally {
    process.user.arena = undefined;
  }
}

function stateOf(process: ModelProcess, thread: ModelThread): ThreadState {
  const { rseq, registers, xstate, mask, robustList, pending } = thread;
  const section = rseq.address === 0n ? undefined : process.space.read(rseq.address + 8n, 8);
  const view = section && new DataView(section.buffer, section.byteOffset, 8);
  return {
    registers,
    xstate,
    signalMask: mask,
    rseq: { ...rseq, criticalSection: view?.getBigUint64(0, true) ?? 0n },
    robustList,
    pending,
  };
}

/** Pages that follow each other with the same source are one run. */
function runsOf(pages: readonly (readonly [bigint, PageRun['source']])[]): readonly PageRun[] {
  const runs: PageRun[] = [];
  for (const [address, source] of pages) {
    const last = runs.at(-1);
    const follows =
      last?.source === source && last.address + BigInt(last.pages) * pageSize === address;
    if (follows) runs[runs.length - 1] = { ...last, pages: last.pages + 1 };
    else runs.push({ address, pages: 1, source });
  }
  return runs;
}

function scan({ space }: ModelProcess, range: Range): readonly PageRun[] {
  const own = runsOf(space.ownPages(range).map((page) => [page, 'store'] as const));
  const guards = space.guards(range).map(({ start, end }): PageRun => ({
    address: start,
    pages: Number((end - start) / pageSize),
    source: 'guard',
  }));
  return [...own, ...guards].sort((a, b) => (a.address < b.address ? -1 : 1));
}

function ringOf(process: ModelProcess, fd: number) {
  const { object } = process.table.file(fd);
  if (object instanceof PipeEnd || object instanceof FifoEnd) return object.ring;
  throw new CkptError('EINVAL', `descriptor ${fd} leads to no pipe`);
}

/** Inode of the socket at the other end; 0: there is none. */
function peerOf({ table }: ModelProcess, inode: bigint): bigint {
  const objects = table.numbers.map((fd) => table.at(fd).file.object);
  const own = objects.find((object) => object instanceof SocketFile && object.inode === inode);
  return own instanceof SocketFile ? (own.partner?.inode ?? 0n) : 0n;
}

/** Calls of a probe while a connection is repaired; who makes them may do so. */
function repair(process: ModelProcess, fd: number, calls: readonly Call[]): readonly Answer[] {
  const { object } = process.table.at(fd).file;
  const tcp = object instanceof SocketFile ? object.tcp : undefined;
  if (tcp === undefined) throw new CkptError('ENOTCONN', `descriptor ${fd} is no connection`);
  const before = new Map(tcp.socket.options);
  tcp.setRepair(true);
  try {
    return callModel(process, process.front, calls, fd);
  } finally {
    tcp.setRepair(false);
    for (const [key, value] of before) tcp.socket.options.set(key, value);
  }
}

function descriptorCalls(
  process: ModelProcess,
): Required<Pick<Frozen, 'watches' | 'peekPipe' | 'pollFile' | 'compareFiles'>> {
  const { table } = process;
  return {
    compareFiles: (_task, a, b) => table.at(a).file.id - table.at(b).file.id,
    watches: (_task, fd, epoll, target, index) => {
      const { object } = table.at(epoll).file;
      if (!(object instanceof EpollFile)) throw new CkptError('EINVAL', `${epoll} is no epoll`);
      return object.watches(target, table.at(fd).file, index);
    },
    peekPipe: (_task, fd, length) => ringOf(process, fd).bytes.slice(0, length),
    pollFile: (_task, fd) => {
      const { file } = table.at(fd);
      return file.object.poll?.(file) ?? 0x145;
    },
  };
}

/** The file behind a path under /proc/PID. */
function inodeOf(process: ModelProcess, path: string): Inode {
  const [, fd] = /^fd\/(\d+)$/.exec(path) ?? [];
  const object = fd === undefined ? undefined : process.table.at(Number(fd)).file.object;
  const inode = object instanceof PathFile ? object.inode : behind(process, path);
  if (inode !== undefined) return inode;
  throw new CkptError('ENODATA', `no contents of ${path}`);
}

/** A process of the model that stands still, as it always does. */
export function freezeModel(process: ModelProcess): Frozen {
  const { pid, startTime, table, space } = process;
  const { exitStatus: status } = process.leader;
  const task: Task = {
    pid,
    startTime,
    stopped: process.isStopped,
    threads: process.living.map(({ tid }) => ({ tid })),
    ...(status === undefined ? {} : { exited: { status } }),
  };
  return {
    tasks: [task],
    read: (_task, path) => readProc(process, path),
    list: (_task, path) => listProc(process, path),
    link: (_task, path) => linkProc(process, path),
    stat: (_task, path) => statProc(process, path),
    thread: (_task, { tid }) => stateOf(process, process.thread(tid)),
    pendingShared: () => process.signals.pending,
    ask: (_task, { tid }, calls) => callModel(process, process.thread(tid), calls),
    probe: (_task, fd, calls) => callModel(process, process.front, calls, fd),
    repair: (_task, fd, calls) => repair(process, fd, calls),
    sameFile: (_task, a, b) => table.at(a).file === table.at(b).file,
    ...descriptorCalls(process),
    holders: (_task, link) =>
      process.machine.outside.holdings(link).map(({ pid: of, name }) => `${of} (${name})`),
    holdings: (_task, link) => process.machine.outside.holdings(link),
    unshared: () => [],
    pathOf: (_task, { inode }) => pathOfInode(process.machine.files, inode),
    unixPeer: (_task, inode) => peerOf(process, inode),
    pages: (_task, start, end) => scan(process, { start, end }),
    memory: (_task, address, length) => space.read(address, length),
    copy: (_task, address, length, to) => {
      ckptKwrite({ file: to, total: 0 }, space.read(address, length));
    },
    contents: (_task, path, offset, length) => {
      return inodeOf(process, path).readAt(offset, length);
    },
    extents: (_task, path) => inodeOf(process, path).extents(),
    frozenMs: () => 0,
    thaw: () => undefined,
    kill: () => {
      process.end(SIGKILL);
    },
  };
}

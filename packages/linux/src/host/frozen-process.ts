import { CkptError } from '@ckpt/format';
import type {
  Answer,
  Call,
  CopyTarget,
  FileExtents,
  FileHandle,
  FileStat,
  Frozen,
  Holding,
  MemoryRun,
  PageRun,
  Task,
  Thread,
  ThreadState,
  UnixQueue,
} from '@ckpt/engine';
import { closeSync } from 'node:fs';
import { pathOfHandle } from './file-handle.ts';
import { compareFiles, unshared, watches } from './compare-files.ts';
import { extentsOf } from './file-extents.ts';
import { Connections } from './connections.ts';
import { Deputy } from './deputy.ts';
import type { Holders } from './holders.ts';
import type { Identity } from './identity.ts';
import { copyRuns } from './memory-copy.ts';
import type { Memory } from './memory.ts';
import { readPages, scanPages } from './page-scan.ts';
import { peekPipe } from './pipe-content.ts';
import { pollFile } from './poll-file.ts';
import { probe, withDuplicate } from './probe.ts';
import type { Tracer } from './ptrace.ts';
import type { RemoteCall } from './remote-table.ts';
import type { Remote } from './remote.ts';
import type { Seizure } from './seizure.ts';
import { address, pageSize, stableBytes, syscall, trySyscall } from './syscall.ts';
import { unixPeer, unixQueue } from './unix-peer.ts';
import type { Waiting } from './waiting.ts';

/** How long a killed process may take to end. */
const reapMs = 10_000;

const SIGKILL = 9;

export interface Parts {
  readonly identity: Identity;
  readonly holders: Holders;
  readonly seizure: Seizure;
  readonly tracer: Tracer;
  readonly memory: Memory;
  readonly remote: Remote;
  readonly waiting: Waiting;
  /** It will be killed, without having run on. */
  readonly dies: boolean;
  /** Freezes another process in the same way. */
  readonly freeze: (pid: number, deadlineMs: number) => FrozenProcess;
}

/**
 * One process that stands still. Who froze it makes all calls, on the same OS thread; when that
 * thread ends, however it does, the process goes on unharmed.
 */
export class FrozenProcess implements Frozen {
  readonly tasks: readonly [Task];
  readonly dies: boolean;
  readonly #parts: Parts;
  readonly #connections: Connections;
  #pagemap: number | undefined;
  /** Set when it was let go or killed. */
  #frozenMs: number | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    const { identity, seizure, dies, freeze } = parts;
    const threads = seizure.tids.map((tid): Thread => ({ tid }));
    const { pid, startTime } = identity;
    const { exitStatus: status } = identity;
    const stopped = seizure.isGroupStopped;
    const exited = status === undefined ? {} : { exited: { status } };
    this.tasks = [{ pid, startTime, threads, stopped, ...exited }];
    this.dies = dies;
    const { filesFd: pidfd } = identity;
    const deputy = (filter: number | undefined) => new Deputy(pidfd, filter, freeze);
    const tid = identity.front;
    this.#connections = new Connections({ pid, tid, startTime, pidfd, dies, deputy });
  }

  read(_task: Task, path: string): Uint8Array | undefined {
    return this.#parts.identity.proc.read(path);
  }

  parts(_task: Task, path: string): Iterable<Uint8Array> {
    return this.#parts.identity.proc.parts(path);
  }

  list(_task: Task, path: string): readonly string[] {
    return this.#parts.identity.proc.list(path);
  }

  link(_task: Task, path: string): string | undefined {
    return this.#parts.identity.proc.link(path);
  }

  stat(_task: Task, path: string): FileStat | undefined {
    return this.#parts.identity.proc.stat(path);
  }

  thread(_task: Task, { tid }: Thread): ThreadState {
    const { tracer, waiting } = this.#parts;
    const { registers, mask, rseq } = waiting.own(tid);
    const asleep = waiting.asleep(tid);
    const list = stableBytes(16);
    const at = address(list);
    syscall('get_robust_list', tid, at, at + 8n);
    return {
      registers,
      xstate: tracer.getXstate(tid),
      signalMask: mask,
      rseq,
      robustList: { head: list.readBigUInt64LE(0), length: Number(list.readBigUInt64LE(8)) },
      pending: tracer.peekSiginfo(tid, false),
      ...(asleep === undefined ? {} : { asleep }),
    };
  }

  pendingShared(): readonly Uint8Array[] {
    return this.#parts.tracer.peekSiginfo(this.#front, true);
  }

  ask(_task: Task, { tid }: Thread, calls: readonly Call[]): readonly Answer[] {
    return this.#parts.remote.ask(tid, calls);
  }

  /**
   * The same as one table, which is run to its end even if this process is killed.
   * @param armed Called when that is certain, before the first call.
   */
  askWhole(
    { tid }: Thread,
    calls: readonly RemoteCall[],
    armed: () => void = () => undefined,
  ): readonly Answer[] {
    return this.#parts.remote.ask(tid, calls, armed);
  }

  locksNew(): boolean | undefined {
    return this.#parts.remote.locksNew;
  }

  probe(_task: Task, fd: number, calls: readonly Call[]): readonly Answer[] {
    return probe(this.#parts.identity.filesFd, fd, calls);
  }

  repair(_task: Task, fd: number, calls: readonly Call[]): readonly Answer[] {
    return this.#connections.repair(fd, calls);
  }

  sameFile(_task: Task, a: number, b: number): boolean {
    return compareFiles(this.#front, a, b) === 0;
  }

  compareFiles(_task: Task, a: number, b: number): number {
    return compareFiles(this.#front, a, b);
  }

  unshared(_task: Task, { tid }: Thread): readonly ('files' | 'fs')[] {
    return tid === this.#front ? [] : unshared(this.#front, tid);
  }

  watches(_task: Task, fd: number, epoll: number, target: number, index: number): boolean {
    return watches(this.#front, fd, epoll, target, index);
  }

  peekPipe(_task: Task, fd: number, length: number): Uint8Array {
    return withDuplicate(this.#parts.identity.filesFd, fd, (own) => peekPipe(own, length));
  }

  holders(_task: Task, link: string): readonly string[] {
    return this.#parts.holders.of(link);
  }

  holdings(_task: Task, link: string): readonly Holding[] {
    return this.#parts.holders.holdings(link);
  }

  pause(microseconds: number): void {
    this.#parts.tracer.sleep(microseconds);
  }

  pollFile(_task: Task, fd: number): number {
    return withDuplicate(this.#parts.identity.filesFd, fd, pollFile);
  }

  unixPeer(_task: Task, inode: bigint): bigint | undefined {
    return unixPeer(inode);
  }

  unixQueue(_task: Task, inode: bigint): UnixQueue | undefined {
    return unixQueue(inode);
  }

  pathOf(_task: Task, handle: FileHandle): string | undefined {
    return pathOfHandle(this.#parts.identity.proc, handle);
  }

  pages(_task: Task, start: bigint, end: bigint): readonly PageRun[] {
    const { proc } = this.#parts.identity;
    this.#pagemap ??= proc.open('pagemap');
    const fd = this.#pagemap;
    return scanPages(fd, start, end, pageSize) ?? readPages(fd, start, end, pageSize);
  }

  memory(_task: Task, at: bigint, length: number): Uint8Array {
    return this.#parts.memory.read(at, length);
  }

  copy(_task: Task, at: bigint, length: number, to: CopyTarget): void {
    copyRuns(this.#parts.memory, [{ address: at, length }], to);
  }

  copyRuns(_task: Task, runs: readonly MemoryRun[], to: CopyTarget): void {
    copyRuns(this.#parts.memory, runs, to);
  }

  contents(_task: Task, path: string, offset: bigint, length: number): Uint8Array {
    return this.#parts.identity.proc.readAt(path, offset, length);
  }

  extents(_task: Task, path: string): FileExtents {
    return extentsOf(this.#parts.identity.proc.open(path));
  }

  /** The thread through which the process is looked at. */
  get #front(): number {
    return this.#parts.identity.front;
  }

  readonly frozenMs = (): number =>
    this.#frozenMs ?? performance.now() - this.#parts.seizure.startedAt;

  thaw(): void {
    if (this.#frozenMs !== undefined) return;
    const { seizure, remote, waiting } = this.#parts;
    // Before it runs on: what it closes then is closed.
    this.#connections.end();
    try {
      remote.withdraw();
      waiting.refresh();
    } catch (error) {
      // It was killed meanwhile: there is nothing to take out of.
      if (!(error instanceof CkptError)) throw error;
    }
    seizure.release();
    this.#close();
  }

  kill(): void {
    if (this.#frozenMs !== undefined) return;
    const { identity, seizure } = this.#parts;
    const diesWithUs = (): void => {
      seizure.dieWithUs();
    };
    if (!this.#connections.kill(diesWithUs)) {
      trySyscall('pidfd_send_signal', identity.pidfd, SIGKILL, 0, 0);
    }
    seizure.reap(reapMs);
    this.#connections.end();
    this.#close();
  }

  #close(): void {
    this.#frozenMs = this.frozenMs();
    const { identity, memory } = this.#parts;
    if (this.#pagemap !== undefined) closeSync(this.#pagemap);
    memory.close();
    identity.close();
  }
}

import type { CkptFile } from '@ckpt/io';
import type { Answer, Call } from './call.ts';
import type { FileExtents, FileHandle, FileStat } from './file-stat.ts';

export interface Thread {
  readonly tid: number;
}

export interface Task {
  readonly pid: number;
  /** Clock ticks after boot (proc_pid_stat(5), field 22): tells a pid from its next user. */
  readonly startTime: bigint;
  /** That live: the leader first, then by tid. */
  readonly threads: readonly Thread[];
  /** The leader has exited while others run on, with this status, as waitpid(2) gives it. */
  readonly exited?: { readonly status: number };
  /** True when it was stopped by a signal (SIGSTOP ...) before the freeze, and must be again. */
  readonly stopped: boolean;
}

/** What ptrace and friends tell of a frozen thread from outside. */
export interface ThreadState {
  /** struct user_regs_struct (sys/user.h), 27 x 8 bytes, untouched: rax -516 and orig_rax kept. */
  readonly registers: Uint8Array;
  /** NT_X86_XSTATE. */
  readonly xstate: Uint8Array;
  /** PTRACE_GETSIGMASK. */
  readonly signalMask: bigint;
  /** PTRACE_GET_RSEQ_CONFIGURATION; address 0 when none is registered. */
  readonly rseq: {
    readonly address: bigint;
    readonly size: number;
    readonly signature: number;
    readonly flags: number;
    /** The word rseq_cs when frozen: 0 outside of a critical section. */
    readonly criticalSection: bigint;
  };
  /** get_robust_list(2). */
  readonly robustList: { readonly head: bigint; readonly length: number };
  /** PTRACE_PEEKSIGINFO of this thread alone: 128-byte siginfo each. */
  readonly pending: readonly Uint8Array[];
  /** Nanoseconds for which it has waited in the call that it was interrupted in; absent: not known. */
  readonly asleep?: bigint;
}

/** A run of pages of one mapping that hold something of their own. */
export interface PageRun {
  readonly address: bigint;
  readonly pages: number;
  /**
   * Zero pages need no bytes; file pages are clean pages of the mapped file; guard pages fault
   * (madvise(2) MADV_GUARD_INSTALL).
   */
  readonly source: 'store' | 'zero' | 'file' | 'guard';
}

/** Bytes of a target's memory. */
export interface MemoryRun {
  readonly address: bigint;
  readonly length: number;
}

/** Where memory is copied to. Who moves bytes into `fd` without `write` tells how many. */
export interface CopyTarget extends CkptFile {
  moved?(length: number): void;
}

/** A descriptor of another process that leads to a pipe of the frozen one. */
export interface Holding {
  readonly pid: number;
  /** Clock ticks after boot: tells a pid from its next user. */
  readonly startTime: bigint;
  /** Its comm. */
  readonly name: string;
  readonly fd: number;
  /** fcntl(2), F_GETFL. */
  readonly flags: number;
}

/** Connections that wait to be accepted at a listening UNIX socket, and how many may. */
export interface UnixQueue {
  readonly waiting: number;
  readonly backlog: number;
}

/** Processes that stand still: everything stopped, nothing changed. All reads are synchronous. */
export interface Frozen {
  readonly tasks: readonly Task[];
  /** Bytes of /proc/PID/`path`; undefined when it is not there. @throws CkptError as read(2). */
  read(task: Task, path: string): Uint8Array | undefined;
  /** The same piece by piece, each good until the next is asked for. Absent: only as a whole. */
  parts?(task: Task, path: string): Iterable<Uint8Array>;
  /** Names in /proc/PID/`path`. */
  list(task: Task, path: string): readonly string[];
  /** Target of the link /proc/PID/`path`; undefined when it is not there. */
  link(task: Task, path: string): string | undefined;
  /** stat(2) through /proc/PID/`path`, following links: `fd/3`, `map_files/...`, `exe`, `root/etc/x`. */
  stat(task: Task, path: string): FileStat | undefined;
  /** State of one thread, from outside. */
  thread(task: Task, thread: Thread): ThreadState;
  /** Pending signals of the whole process: PTRACE_PEEKSIGINFO_SHARED. */
  pendingShared(task: Task): readonly Uint8Array[];
  /** Remote system calls in the thread itself, all in one resume. Never one that uses restart_block. */
  ask(task: Task, thread: Thread, calls: readonly Call[]): readonly Answer[];
  /**
   * Whether what a process maps is locked at once (mlockall(2) MCL_FUTURE), seen by what `ask` has
   * mapped there; undefined: not known.
   */
  locksNew?(task: Task): boolean | undefined;
  /**
   * System calls made by the checkpointer on its own duplicate of a descriptor (pidfd_getfd(2)).
   * The argument -1000 stands for that duplicate.
   */
  probe(task: Task, fd: number, calls: readonly Call[]): readonly Answer[];
  /**
   * Calls like those of `probe`, on a TCP connection in repair mode (TCP_REPAIR), which is on for
   * them and no longer, even if the checkpointer is killed. If the process is to die, from the
   * first of them on the other end is kept from noticing it, for as long as the checkpointer
   * lives; once the process was killed, until a packet filter is taken away (SOCKET_INET).
   * @throws CkptError EPERM without CAP_NET_ADMIN; as the kernel where it cannot be.
   */
  repair?(task: Task, fd: number, calls: readonly Call[]): readonly Answer[];
  /** It will be killed, without having run on. */
  readonly dies?: boolean;
  /** kcmp(2): do two descriptors lead to the same open file description? */
  sameFile(task: Task, a: number, b: number): boolean;
  /** kcmp(2) of two descriptors, as an order: 0 the same description. Keeps 10,000 of them cheap. */
  compareFiles?(task: Task, a: number, b: number): number;
  /** kcmp(2): what a thread has for itself (unshare(2)) where threads share one with the first. */
  unshared?(task: Task, thread: Thread): readonly ('files' | 'fs')[];
  /**
   * kcmp(2) KCMP_EPOLL_TFD: does the epoll `epoll` watch, under the number `target` (of several such
   * items the one of that `index`, from 0), the description that `fd` leads to?
   */
  watches?(task: Task, fd: number, epoll: number, target: number, index: number): boolean;
  /** Up to `length` unread bytes of a pipe, which stay there (tee(2)); `fd` is an end that reads. */
  peekPipe?(task: Task, fd: number, length: number): Uint8Array;
  /** Lets others run for some time, while the process stands still. */
  pause?(microseconds: number): void;
  /** revents of poll(2) for every event, without waiting; on a duplicate of the descriptor. */
  pollFile?(task: Task, fd: number): number;
  /** Others than the task that hold the pipe or socket of that link: "1234 (tail)". */
  holders?(task: Task, link: string): readonly string[];
  /** The same with what a restart needs to join the pipe again. */
  holdings?(task: Task, link: string): readonly Holding[];
  /** Inode of the socket at the other end of a UNIX socket; 0: none; undefined: not known. */
  unixPeer?(task: Task, inode: bigint): bigint | undefined;
  /** Who waits at a listening UNIX socket of that inode; undefined: not known. */
  unixQueue?(task: Task, inode: bigint): UnixQueue | undefined;
  /**
   * open_by_handle_at(2): path of a file that is known by a handle, as fdinfo of an inotify tells it;
   * undefined: it cannot be found so.
   */
  pathOf?(task: Task, handle: FileHandle): string | undefined;
  /** What is in the memory [start, end), by PAGEMAP_SCAN. Absent pages are in no run. */
  pages(task: Task, start: bigint, end: bigint): readonly PageRun[];
  /** Bytes of the target's memory. */
  memory(task: Task, address: bigint, length: number): Uint8Array;
  /** Appends memory to a file, in as few copies as the kernel allows. `length` in bytes. */
  copy(task: Task, address: bigint, length: number, to: CopyTarget): void;
  /** The same for many ranges, in their order, where the host has something better than one by one. */
  copyRuns?(task: Task, runs: readonly MemoryRun[], to: CopyTarget): void;
  /** Bytes of the file behind a descriptor (deleted files), at an offset, without moving it. */
  contents(task: Task, path: string, offset: bigint, length: number): Uint8Array;
  /** Seals and holes of a file, through /proc/PID/`path`. */
  extents?(task: Task, path: string): FileExtents;
  /** Milliseconds since the first thread was stopped. */
  readonly frozenMs: () => number;
  /** Everything goes on as if nothing had been there. Idempotent. */
  thaw(): void;
  /** Dies without having run on. */
  kill(): void;
}

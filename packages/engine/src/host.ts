import type { XstateComponent } from '@ckpt/format';
import type { CkptFile } from '@ckpt/io';
import type { Plan } from './plan.ts';
import type { Resource } from './resource.ts';

/** CLOCK_MONOTONIC and CLOCK_BOOTTIME, or what a time namespace adds to them. Nanoseconds. */
export interface ClockTimes {
  readonly monotonic: bigint;
  readonly boottime: bigint;
}

/** What a machine is, as far as an image depends on it. */
export interface System {
  /** uname(2), without NUL. */
  readonly uts: { readonly release: string; readonly version: string; readonly machine: string };
  /** From LINUX_VERSION_CODE: major, minor, patch. */
  readonly kernel: readonly [major: number, minor: number, patch: number];
  /** /proc/sys/kernel/random/boot_id, 16 bytes. */
  readonly bootId: Uint8Array;
  /** Bytes. */
  readonly pageSize: number;
  readonly cpu: {
    /** XCR0: state components the kernel lets user space use (xgetbv). */
    readonly xfeatures: bigint;
    /** Bytes of the uncompacted xstate area, as PTRACE_GETREGSET NT_X86_XSTATE gives it; 0: unknown. */
    readonly xstateSize: number;
    /** Where components beyond x87 and SSE stand in that area, ascending; absent: unknown. */
    readonly xstateLayout?: readonly XstateComponent[];
    /** "flags" of /proc/cpuinfo. */
    readonly flags: readonly string[];
  };
  /** CRC-32C of the vdso's ELF image without its zero tail; 0 where there is none. */
  readonly vdsoHash: number;
  /** That ELF image; absent: not known. */
  readonly vdso?: Uint8Array;
  /** Bytes of vvar + vvar_vclock + vdso together, one block. */
  readonly vdsoSize: number;
  /** The checkpointer or invoker itself: what it may give to a process. Absent: not known. */
  readonly self?: {
    /** Links of /proc/self/ns by their names: "pid" is "pid:[4026531836]". */
    readonly namespaces: Readonly<Record<string, string>>;
    /** Bytes of /proc/self/status. */
    readonly status: Uint8Array;
    /** Bytes of /proc/self/limits. */
    readonly limits: Uint8Array;
  };
  /** Whether TCP connections can be carried on (TCP_REPAIR), and which addresses are ours. */
  readonly connections?: { readonly repairs: boolean; readonly addresses: readonly string[] };
  /** Effective user id, and whether pids may be chosen (CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE). */
  readonly euid: number;
  readonly choosesPids: boolean;
  /** Seconds since the epoch. */
  readonly time: bigint;
  /** What time it is for the checkpointer or invoker. Absent: not known. */
  readonly clocks?: ClockTimes & {
    /** Of its time namespace (time_namespaces(7)); absent where the kernel has none. */
    readonly offsets?: ClockTimes;
  };
}

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

/** One file as stat(2) tells it. */
export interface FileStat {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: bigint;
  /** Bytes. */
  readonly size: bigint;
  /** Nanoseconds since the epoch. */
  readonly mtime: bigint;
}

/** What stat(2) does not tell of a file. */
export interface FileExtents {
  /** F_GET_SEALS of fcntl(2); undefined for what cannot be sealed. */
  readonly seals: number | undefined;
  /** Where it has data (lseek(2) SEEK_DATA), ascending; undefined: not known, it may be anywhere. */
  readonly data: readonly { readonly offset: bigint; readonly length: bigint }[] | undefined;
  /** Bytes of its pages where it lies in hugetlbfs; absent elsewhere. */
  readonly hugePage?: number;
}

/** A file without its name. */
export interface FileHandle {
  readonly major: number;
  readonly minor: number;
  readonly inode: bigint;
  /** handle_type and f_handle of struct file_handle. */
  readonly type: number;
  readonly bytes: Uint8Array;
}

/** An argument of a system call: a number, bytes to read, or room for an answer. */
export type Argument =
  | number
  | bigint
  | { readonly in: Uint8Array }
  /** Room of so many bytes, zeroed; its content after the call is an element of {@link Answer.out}. */
  | { readonly out: number }
  /** Bytes to read, and room for the answer in the same place. */
  | { readonly inout: Uint8Array };

/** One system call by its Linux name. */
export interface Call {
  readonly call: string;
  readonly args: readonly Argument[];
}

export interface Answer {
  /** What the call returned; a negative errno on failure. */
  readonly result: bigint;
  /** One element for each `out` and `inout` argument, in order. */
  readonly out: readonly Uint8Array[];
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

/** A restarted tree. */
export interface Running {
  readonly pid: number;
  /** Things that could not be had, as sentences. */
  readonly warnings: readonly string[];
  /** Waits for the end without blocking the event loop; the status as waitpid(2) gives it. */
  wait(): Promise<number>;
}

/**
 * The stored pages of an image, in their order. The stream behind it is never sought: who reads
 * payload from the file by other means (the restarted task, through its own descriptor) says so
 * with `taken`.
 */
export interface PageReader {
  /** Index of the next page, counted from the start of the store. */
  readonly index: number;
  /** Byte offset of the next page in the stream, if `ready` has just said more than 0. */
  readonly position: number;
  /** How many pages now stand in a row at the file's position; 0 when all have been read. @throws CkptError */
  ready(): number;
  /** Reads the next pages: `into` is a whole number of pages. @throws CkptError EPIPE, EINVAL. */
  read(into: Uint8Array): void;
  /** So many pages, at most what `ready` said, were read from the file by somebody else. */
  taken(pages: number): void;
  /** Passes over pages in bounded memory. @throws CkptError as read. */
  skip(pages: number): void;
  /**
   * Passes over what is left, and checks that the image is whole.
   * @throws CkptError EPIPE when it ends early; EIO when its writer failed; EINVAL without a TAIL.
   */
  finish(): void;
}

/** A machine on which processes are checkpointed and restarted. */
export interface Host {
  system(): System;
  /** Pid of the caller, which pid 0 stands for. */
  readonly self?: number;
  /**
   * Stops a process with all its threads.
   * @param dies It will be killed when its image is safe, without having run on.
   * @throws CkptError ESRCH no such pid; EPERM with the tracer's name when traced; ETIMEDOUT.
   */
  freeze(pid: number, deadlineMs: number, dies?: boolean): Frozen;
  /** Pid of the process that a thread belongs to; undefined where there is no such thread. */
  leaderOf?(tid: number): number | undefined;
  /**
   * Freezes a process that was made for it, and ends it after `use`. Code is slow when it runs for
   * the first time: it had better not do so while a process that somebody needs stands still.
   */
  rehearse?(use: (frozen: Frozen) => void): void;
  /**
   * Runs a whole plan, or nothing of it. The image stands at its first PAGES (or PAD) record; `pages`
   * walks it, and its `finish` is to be called before any thread resumes.
   */
  run(plan: Plan, image: CkptFile, pages: PageReader): Running;
  /**
   * Everything about `run` that can be known before: the plan's form, the right to choose ids.
   * @throws CkptError as `run` would.
   */
  prove?(plan: Plan): void;
  /** stat of a path as a restart would find it; undefined when it is not there. Used to check plans. */
  stat(path: string): FileStat | undefined;
  /** When the process of that pid was started, clock ticks after boot; undefined: there is none. */
  startTime?(pid: number): bigint | undefined;
  /**
   * Bytes of a regular file from an offset, as many as there are; undefined when it cannot be read.
   * Used to check plans; without it files are known by size and time alone.
   */
  contents?(path: string, offset: bigint, length: number): Uint8Array | undefined;
  /** Who has this pid (or tid, session, group) now: "1234 (node)"; undefined when it is free. */
  holder(pid: number): string | undefined;
  /** The same of many at once, where that is cheaper; those that are free are not in the answer. */
  holders?(pids: readonly number[]): ReadonlyMap<number, string>;
  /** The kinds of kernel resource this host knows, in the order of the image. */
  readonly resources: readonly Resource[];
}

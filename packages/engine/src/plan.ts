import type { ClockTimes } from './system.ts';

/**
 * A restart as plain data: steps that an executor runs, in order, on threads that it makes.
 *
 * Every step names the thread it runs on and the record it comes from. The first `spawn` makes the
 * task, stopped, with an address space that holds nothing but the executor; no thread runs a
 * program instruction before all steps before the last `meet` are done, then every `resume`
 * takes effect at once.
 */

/** Where in the image a step comes from. */
export interface Origin {
  /** Byte offset of the record in the image. */
  readonly position: number;
  /** Record path, outermost first: "task/files/fd 3". */
  readonly path: string;
}

/** A word given to a system call. */
export type Value =
  | number
  | bigint
  /** What an earlier step on the same task returned. */
  | { readonly result: string }
  /**
   * Address of these bytes in the new task. `pointers` are 8-byte words in them that become
   * addresses of other bytes: an iovec, the auxv of prctl_mm_map.
   */
  | {
      readonly blob: Uint8Array;
      readonly pointers?: readonly { readonly offset: number; readonly to: Uint8Array }[];
    }
  /** Address of zeroed room of so many bytes, whose name `expectRoom` of any step may use. */
  | { readonly room: string; readonly size: number }
  /** The int of that index in a room, as it then is: one end of what pipe2 put there. */
  | { readonly word: string; readonly index: number }
  /** The image's own descriptor. */
  | { readonly external: string };

interface Base {
  /** Unique in the plan. */
  readonly id: string;
  /** tid of the thread that does it. */
  readonly on: number;
  readonly from: Origin;
}

export interface CallStep extends Base {
  readonly op: 'call';
  /** System call by its Linux name. */
  readonly call: string;
  /** At most six. */
  readonly args: readonly Value[];
  /** What it must return; any non-negative value otherwise. */
  readonly expect?: number | bigint;
  /** Bytes that must then stand at `offset` of the room of that name. */
  readonly expectRoom?: {
    readonly room: string;
    readonly offset: number;
    readonly bytes: Uint8Array;
  };
  /** fatal: nothing comes back; warn: said, and the restart goes on. */
  readonly failure: 'fatal' | 'warn';
  /** Said when it fails, with what to do: "open /tmp/log: ..."; the errno is added. */
  readonly what: string;
}

/** Makes the task (kind process, the first step) or one more thread of it, with this very id. */
export interface SpawnStep extends Base {
  readonly op: 'spawn';
  readonly kind: 'process' | 'thread';
  /** 0 for a process that may have any pid: an image of revision 3 has none. */
  readonly pid: number;
  /** clone(2) CLONE_CHILD_SETTID: where the new task's id is written, if that can be. */
  readonly setChildTid?: bigint;
  /**
   * The process is made in a time namespace of its own, which adds so much to the machine's clocks
   * (time_namespaces(7)). Where that is forbidden, it is said and the restart goes on.
   */
  readonly clocks?: ClockTimes;
}

/** Unmaps everything but the executor's own block, which the plan placed in a hole. */
export interface WipeStep extends Base {
  readonly op: 'wipe';
  /**
   * Where the executor may live: free in the whole image. Bytes. `whole`: it leaves no more than
   * the first page of it free, so that the plan can tell which addresses are.
   */
  readonly hole: { readonly address: bigint; readonly length: number; readonly whole?: true };
}

/**
 * Fills memory, or a descriptor, with stored pages; `length` bytes from page `index` of the store.
 * Offset -1: written one after the other, as to a pipe.
 */
export interface LoadStep extends Base {
  readonly op: 'load';
  readonly to: { readonly address: bigint } | { readonly fd: Value; readonly offset: bigint };
  readonly length: number;
  /** First page, counted from the start of the store. Loads are planned in ascending order. */
  readonly index: number;
}

/** Final state of a thread, set when all is done; it runs on from there. */
export interface ResumeStep extends Base {
  readonly op: 'resume';
  readonly registers: Uint8Array;
  readonly xstate: Uint8Array;
  readonly signalMask: bigint;
  /** Words written to memory last: rseq_cs, which a registration zeroes. */
  readonly words: readonly { readonly address: bigint; readonly value: bigint }[];
  /** 128-byte siginfo each, queued to this thread, or to the process (only in the leader's step). */
  readonly pending: readonly Uint8Array[];
  readonly pendingShared: readonly Uint8Array[];
  /** A sleep whose remaining time was visible: this call is begun and interrupted, so that the kernel
   * has a restart block of its own, before the registers are set. */
  readonly sleep?: { readonly call: string; readonly args: readonly Value[] };
  /** The process was stopped by a signal and stays stopped. */
  readonly stopped: boolean;
}

/**
 * The thread ends by exit(2) while others run on: a leader that is a zombie. Before any resumes; not
 * the only one that is there.
 */
export interface DieStep extends Base {
  readonly op: 'die';
  /** As waitpid(2) gives it; before Linux 5.17 that of the process when all others exit alone. */
  readonly status: number;
  /** Signals of the process that are queued by it: 128-byte siginfo each. */
  readonly pendingShared: readonly Uint8Array[];
}

/** All parties have come here, or none goes on. */
export interface MeetStep extends Base {
  readonly op: 'meet';
  readonly barrier: string;
  readonly parties: readonly number[];
}

export type Step = CallStep | SpawnStep | WipeStep | LoadStep | ResumeStep | DieStep | MeetStep;

export interface Plan {
  /** Pid of the first task; 0: any. */
  readonly pid: number;
  readonly steps: readonly Step[];
  /** Pages in the image's store, and bytes of each. */
  readonly store: { readonly pages: number; readonly pageSize: number };
  /** What the restarted program will find different, as sentences. */
  readonly notes: readonly string[];
}

import type { XstateComponent } from '@ckpt/format';

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

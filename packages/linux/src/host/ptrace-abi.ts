/** Requests of ptrace(2): linux/ptrace.h, asm/ptrace-abi.h. */
// prettier-ignore
export const ptraceRequests = {
  POKEDATA: 5, CONT: 7, SINGLESTEP: 9, DETACH: 17, SYSCALL: 24, SETOPTIONS: 0x4200, GETEVENTMSG: 0x4201,
  GETSIGINFO: 0x4202, SETSIGINFO: 0x4203, GETREGSET: 0x4204, SETREGSET: 0x4205, SEIZE: 0x4206,
  INTERRUPT: 0x4207, LISTEN: 0x4208, PEEKSIGINFO: 0x4209, GETSIGMASK: 0x420a, SETSIGMASK: 0x420b,
  GET_RSEQ_CONFIGURATION: 0x420f, GET_SYSCALL_USER_DISPATCH_CONFIG: 0x4211,
} as const;

/** Options of PTRACE_SEIZE. */
export const ptraceOptions = {
  TRACESYSGOOD: 1,
  TRACEFORK: 2,
  TRACEVFORK: 4,
  TRACECLONE: 8,
  TRACEEXEC: 16,
  TRACEEXIT: 64,
  EXITKILL: 1 << 20,
} as const;

/** Events in the status of a stop. */
export const ptraceEvents = { FORK: 1, VFORK: 2, CLONE: 3, EXEC: 4, EXIT: 6, STOP: 128 } as const;

/** What wait4(2) told of a thread. */
export type Stop =
  /** event: one of {@link ptraceEvents}, 0 for a signal-delivery-stop or a stop at a system call. */
  | { readonly kind: 'stopped'; readonly signal: number; readonly event: number }
  | { readonly kind: 'exited'; readonly status: number }
  | { readonly kind: 'killed'; readonly signal: number };

/** Reads a status of wait4(2). */
export function decodeStatus(status: number): Stop {
  const low = status & 0x7f;
  if (low === 0) return { kind: 'exited', status: (status >> 8) & 0xff };
  if (low === 0x7f) return { kind: 'stopped', signal: (status >> 8) & 0xff, event: status >>> 16 };
  return { kind: 'killed', signal: low };
}

import type { ImageRecord, RestoreScope, ResumeStep } from '@ckpt/engine';
import { restartBlocks, type Cpu, type RestartBlock } from '@ckpt/format';
import { ERESTART_RESTARTBLOCK } from './sleep.ts';

/** linux/errno.h: made again, or EINTR when a handler runs. */
const ERESTARTNOHAND = -514n;
const EINTR = -4n;

/** Kinds whose call is made again whole. */
const numbers = new Map<number, bigint>([
  [restartBlocks.nanosleep, 35n],
  [restartBlocks.clock_nanosleep, 230n],
  [restartBlocks.poll, 7n],
  [restartBlocks.futex, 202n],
]);

/**
 * Calls that return EINTR when their thread was only stopped, and have then done nothing yet
 * (signal(7)): read, readv, accept, recvfrom, recvmsg, semop, rt_sigtimedwait, io_getevents,
 * semtimedop, epoll_wait, epoll_pwait, accept4, recvmmsg, io_pgetevents, io_uring_enter,
 * epoll_pwait2. The kernel makes them again, unless a signal handler runs first.
 */
const endedByStop = new Set(
  [0, 19, 43, 45, 47, 65, 128, 208, 220, 232, 281, 288, 299, 333, 426, 441].map(BigInt),
);

const nanoseconds = 1_000_000_000n;
/** Milliseconds that poll(2) waits at most. */
const intMax = 0x7fff_ffffn;

function timespec(time: bigint): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigInt64(0, time / nanoseconds, true);
  view.setBigInt64(8, time % nanoseconds, true);
  return bytes;
}

/** How a thread goes on with the call that it was interrupted in. */
export interface Continuation {
  readonly cpu: Cpu;
  readonly sleep?: NonNullable<ResumeStep['sleep']>;
}

const word = (value: bigint): bigint => BigInt.asUintN(64, value);

/** The call of a sleep with another time: what the kernel keeps of it is the same. */
function callWith(cpu: Cpu, kind: number, clock: number, remaining: bigint, pointer: bigint) {
  const { rdi, rsi, rdx, r8, r9 } = cpu;
  const time = { blob: timespec(remaining) };
  if (kind === restartBlocks.nanosleep) return { call: 'nanosleep', args: [time, pointer] };
  if (kind === restartBlocks.clock_nanosleep) {
    return { call: 'clock_nanosleep', args: [clock, 0, time, pointer] };
  }
  if (kind === restartBlocks.futex) return { call: 'futex', args: [rdi, rsi, rdx, time, r8, r9] };
  const milliseconds = (remaining + 999_999n) / 1_000_000n;
  return { call: 'poll', args: [rdi, rsi, milliseconds > intMax ? intMax : milliseconds] };
}

/** A new task has no restart block of its own: either it gets one, or the call is made again. */
function resumeSleep(
  scope: RestoreScope,
  cpu: Cpu,
  block: ImageRecord<RestartBlock> | undefined,
): Continuation {
  const {
    kind = restartBlocks.none,
    remaining = 0n,
    remaining_pointer: pointer = 0n,
    clock = 0,
  } = block?.value ?? {};
  const number = numbers.get(kind);
  if (number === undefined) {
    scope.note(`thread ${cpu.tid} gets EINTR from the call that it waits in`);
    return { cpu: { ...cpu, rax: word(EINTR) } };
  }
  if (remaining < 0n) return { cpu: { ...cpu, rax: word(ERESTARTNOHAND), orig_rax: number } };
  const isSleep = kind === restartBlocks.nanosleep || kind === restartBlocks.clock_nanosleep;
  if (isSleep && remaining === 0n) return { cpu: { ...cpu, rax: 0n } };
  return { cpu, sleep: callWith(cpu, kind, clock, remaining, pointer) };
}

/**
 * What becomes of an interrupted system call. The rest (-512 .. -514) is left to the kernel, which
 * restarts it or lets it end with EINTR when the thread goes on.
 */
export function resumeCall(
  scope: RestoreScope,
  cpu: Cpu,
  block: ImageRecord<RestartBlock> | undefined,
): Continuation {
  const result = BigInt.asIntN(64, cpu.rax);
  if (result === ERESTART_RESTARTBLOCK) return resumeSleep(scope, cpu, block);
  if (result === EINTR && endedByStop.has(cpu.orig_rax)) {
    return { cpu: { ...cpu, rax: word(ERESTARTNOHAND) } };
  }
  return { cpu };
}

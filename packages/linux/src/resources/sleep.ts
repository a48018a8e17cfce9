import type { Cpu } from '@ckpt/format';
import { restartBlocks, type RestartBlock } from '@ckpt/format';

/** Reads the task's memory; undefined where nothing is mapped. */
export type ReadMemory = (address: bigint, length: number) => Uint8Array | undefined;

/** linux/errno.h: the kernel has kept what is left of the call, and restart_syscall(2) goes on. */
export const ERESTART_RESTARTBLOCK = -516n;

/** Calls of x86-64 that end so, and the one that goes on with them. */
const calls = { poll: 7, nanosleep: 35, futex: 202, clock_nanosleep: 230 } as const;
const restartSyscall = 219n;

/** Kinds of {@link RestartBlock} by the number of their call. */
const kinds = new Map<number, number>([
  [calls.poll, restartBlocks.poll],
  [calls.nanosleep, restartBlocks.nanosleep],
  [calls.futex, restartBlocks.futex],
  [calls.clock_nanosleep, restartBlocks.clock_nanosleep],
]);

const nanoseconds = 1_000_000_000n;

/** No pointer is below the first page that programs may map. */
const pointerMin = 0x1_0000n;
/** Descriptors that poll(2) takes at most (fs.nr_open is 1048576, RLIMIT_NOFILE mostly less). */
const pollMax = 0x1_0000n;

/** struct timespec, as nanoseconds; undefined for what is none. */
function readTimespec(read: ReadMemory, address: bigint): bigint | undefined {
  const bytes = address < pointerMin ? undefined : read(address, 16);
  if (bytes === undefined || bytes.length < 16) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [seconds, rest] = [view.getBigInt64(0, true), view.getBigInt64(8, true)];
  const isTime = seconds >= 0n && rest >= 0n && rest < nanoseconds;
  return isTime ? seconds * nanoseconds + rest : undefined;
}

/** Number in "mov $number, %eax; syscall", as C libraries inline it. */
function inlinedCall(cpu: Cpu, read: ReadMemory): number | undefined {
  const code = read(cpu.rip - 7n, 7);
  if (code?.[0] !== 0xb8 || code[5] !== 0x0f || code[6] !== 0x05) return undefined;
  return new DataView(code.buffer, code.byteOffset, code.length).getUint32(1, true);
}

/** FUTEX_WAIT and FUTEX_WAIT_BITSET, private or not, with either clock. */
const isFutexWait = (operation: bigint): boolean => [0n, 9n].includes(operation & ~0x180n);

/**
 * A call that was already restarted once has lost its number, but kept its arguments: they tell
 * the four calls apart, because pointers, counts and clocks are numbers of different sizes.
 */
function callByArguments(cpu: Cpu, read: ReadMemory): number | undefined {
  const { rdi, rsi, rdx, r10 } = cpu;
  const waits = rdi >= pointerMin && rdi % 4n === 0n && isFutexWait(rsi);
  if (waits && readTimespec(read, r10) !== undefined) return calls.futex;
  const clock = BigInt.asIntN(32, rdi);
  if (clock < 16n && rdi < 1n << 32n && rsi === 0n && readTimespec(read, rdx) !== undefined) {
    return calls.clock_nanosleep;
  }
  if ((rsi > 0n && rsi < pollMax) || (rdi === 0n && rsi === 0n)) return calls.poll;
  return readTimespec(read, rdi) === undefined ? undefined : calls.nanosleep;
}

/** The call that a thread was interrupted in. */
function interruptedCall(cpu: Cpu, read: ReadMemory): number | undefined {
  if (cpu.orig_rax !== restartSyscall) return Number(cpu.orig_rax);
  const inlined = inlinedCall(cpu, read);
  if (inlined !== undefined && kinds.has(inlined)) return inlined;
  return callByArguments(cpu, read);
}

/** Remaining time that was not visible. */
export const unknownTime = -1n;

/** linux/time.h, linux/futex.h: the time is one of a clock, not how long to wait. */
const TIMER_ABSTIME = 1n;
const isWaitForTime = (operation: bigint): boolean => (operation & ~0x180n) === 0n;

/** How long a call is to wait from its beginning, nanoseconds; undefined where that is not said. */
function wholeTime(call: number | undefined, cpu: Cpu, read: ReadMemory): bigint | undefined {
  const { rdi, rsi, rdx, r10 } = cpu;
  if (call === calls.nanosleep) return readTimespec(read, rdi);
  if (call === calls.clock_nanosleep && (rsi & TIMER_ABSTIME) === 0n) {
    return readTimespec(read, rdx);
  }
  if (call === calls.futex && isWaitForTime(rsi)) return readTimespec(read, r10);
  const milliseconds = BigInt.asIntN(32, rdx);
  return call === calls.poll && milliseconds >= 0n ? milliseconds * 1_000_000n : undefined;
}

/** What is left of a call after so many nanoseconds. */
function leftAfter(
  asleep: bigint | undefined,
  call: number | undefined,
  cpu: Cpu,
  read: ReadMemory,
): bigint {
  const whole = asleep === undefined ? undefined : wholeTime(call, cpu, read);
  if (whole === undefined || asleep === undefined) return unknownTime;
  return whole > asleep ? whole - asleep : 0n;
}

/**
 * What is known of an interrupted sleep; undefined for a thread that is in none. The kernel has
 * written the time that is left to where the program wants it, if it wants it.
 * @param asleep Nanoseconds for which it has waited; undefined where nobody knows. After an earlier
 * checkpoint it is less than the whole: the call then lasts longer, never shorter.
 */
export function restartBlockOf(
  cpu: Cpu,
  read: ReadMemory,
  asleep?: bigint,
): RestartBlock | undefined {
  if (BigInt.asIntN(64, cpu.rax) !== ERESTART_RESTARTBLOCK) return undefined;
  const call = interruptedCall(cpu, read);
  const sleeps = call === calls.nanosleep || call === calls.clock_nanosleep;
  const pointer = !sleeps ? 0n : call === calls.nanosleep ? cpu.rsi : cpu.r10;
  return {
    tid: cpu.tid,
    kind: kinds.get(call ?? -1) ?? restartBlocks.none,
    clock: call === calls.clock_nanosleep ? Number(BigInt.asIntN(32, cpu.rdi)) : 0,
    _pad: 0,
    remaining: readTimespec(read, pointer) ?? leftAfter(asleep, call, cpu, read),
    remaining_pointer: pointer,
  };
}

import { getRegister, getSigned, withRegisters, type RegisterName } from './registers.ts';
import { syscallNumbers, type SyscallName } from './syscall-numbers.ts';

/** linux/errno.h: what an interrupted call returns before the kernel decides about restarting it. */
const ERESTARTSYS = -512n;
const ERESTARTNOINTR = -513n;
const ERESTARTNOHAND = -514n;
const ERESTART_RESTARTBLOCK = -516n;
const EINTR = -4n;

/** restart_syscall(2) */
const restartSyscall = BigInt(syscallNumbers.restart_syscall);

/** How a thread goes on when nobody but itself puts its registers back. */
export interface Continuation {
  readonly rax: bigint;
  readonly rip: bigint;
}

/** True where a thread was interrupted in a system call that the kernel makes again. */
export function willRestart(registers: Uint8Array): boolean {
  if (getSigned(registers, 'orig_rax') === -1n) return false;
  const result = getSigned(registers, 'rax');
  return (
    result === ERESTARTSYS ||
    result === ERESTARTNOINTR ||
    result === ERESTARTNOHAND ||
    result === ERESTART_RESTARTBLOCK
  );
}

/** True where any signal handler that runs first makes the call return EINTR. */
export function endsByAnyHandler(registers: Uint8Array): boolean {
  const result = getSigned(registers, 'rax');
  return willRestart(registers) && (result === ERESTARTNOHAND || result === ERESTART_RESTARTBLOCK);
}

/** The interrupted call is made again, as do_signal of the kernel has it (arch/x86/kernel/signal.c). */
export function restarting(registers: Uint8Array): Continuation {
  const byBlock = getSigned(registers, 'rax') === ERESTART_RESTARTBLOCK;
  return {
    rax: byBlock ? restartSyscall : getRegister(registers, 'orig_rax'),
    rip: getRegister(registers, 'rip') - 2n,
  };
}

/** A signal handler has interrupted the call; without a call, the thread just goes on. */
export function continuing(registers: Uint8Array): Continuation {
  const rax = willRestart(registers) ? EINTR : getSigned(registers, 'rax');
  return { rax, rip: getRegister(registers, 'rip') };
}

/** io_uring_enter(2): the fifth argument may hold a limit of time. */
const IORING_ENTER_EXT_ARG = 8n;

/**
 * Calls that return EINTR even when the thread was only stopped (signal(7), "Interruption of system
 * calls by stop signals"), and the register that tells that they wait without limit: null, or a
 * negative number of milliseconds. One with a limit keeps its EINTR: made again it would wait for
 * the whole time, and again at the next checkpoint.
 */
const endedByStop: ReadonlyMap<bigint, (registers: Uint8Array) => boolean> = new Map(
  Object.entries({
    epoll_wait: negative('r10'),
    epoll_pwait: negative('r10'),
    epoll_pwait2: zero('r10'),
    semop: () => true,
    semtimedop: zero('r10'),
    rt_sigtimedwait: zero('rdx'),
    io_getevents: zero('r8'),
    io_pgetevents: zero('r8'),
    io_uring_enter: (registers) => (getRegister(registers, 'r10') & IORING_ENTER_EXT_ARG) === 0n,
  } satisfies Partial<Record<SyscallName, (registers: Uint8Array) => boolean>>).map(
    ([name, endless]) => [BigInt(syscallNumbers[name as SyscallName]), endless],
  ),
);

function zero(name: RegisterName) {
  return (registers: Uint8Array): boolean => getRegister(registers, name) === 0n;
}

function negative(name: RegisterName) {
  return (registers: Uint8Array): boolean => BigInt.asIntN(32, getRegister(registers, name)) < 0n;
}

/**
 * Registers with which a thread does not notice that it was stopped: where the stop itself ended a
 * call with EINTR, the kernel is told to make it again unless a signal handler runs; undefined
 * where nothing is to be changed.
 */
export function unnoticed(registers: Uint8Array): Uint8Array | undefined {
  if (getSigned(registers, 'rax') !== EINTR) return undefined;
  const endless = endedByStop.get(getSigned(registers, 'orig_rax'));
  return endless?.(registers) === true
    ? withRegisters(registers, { rax: ERESTARTNOHAND })
    : undefined;
}

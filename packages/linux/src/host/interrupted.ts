import { getRegister, getSigned } from './registers.ts';
import { syscallNumbers } from './syscall-numbers.ts';

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

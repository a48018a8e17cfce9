import { CkptError, errnoName } from '@ckpt/format';
import { native } from './native.ts';
import { syscallNumbers, type SyscallName } from './syscall-numbers.ts';

/** A machine word given to a system call: a number, a descriptor, an address. */
export type Word = number | bigint;

/** Bytes; x86-64 has no other. */
export const pageSize = 4096;

interface Calls {
  /** syscall(2) of libc: -1 on failure. */
  readonly call: (number: number, ...args: readonly Word[]) => Word;
  readonly errno: () => number;
  readonly address: (bytes: Uint8Array) => bigint;
  readonly functionAt: (at: bigint, result: string, args: string[]) => NativeFunction;
}

type NativeFunction = (...args: readonly unknown[]) => unknown;

let made: Calls | undefined;

function calls(): Calls {
  if (made !== undefined) return made;
  const { koffi, libc } = native();
  const prototype = 'int64 syscall(int64, int64, int64, int64, int64, int64, int64)';
  made = {
    call: libc.func(prototype) as Calls['call'],
    errno: () => koffi.errno(),
    address: (bytes) => koffi.address(bytes),
    functionAt: (at, result, args) => koffi.decode(at, koffi.proto(result, args)) as NativeFunction,
  };
  return made;
}

/** What was addressed last, so that it is not collected before the call that uses the address. */
const recent: Uint8Array[] = [];
let turn = 0;

/** Where bytes are in this process: right at least until sixteen more have been asked for. */
export function address(bytes: Uint8Array): bigint {
  recent[turn++ & 15] = bytes;
  return calls().address(bytes);
}

/** Code at an address of this process, as a function; C types of its result and arguments. */
export function functionAt(at: bigint, result: string, args: string[]): NativeFunction {
  return calls().functionAt(at, result, args);
}

/** Bytes with an address that does not move, zeroed. */
export function stableBytes(size: number): Buffer {
  return Buffer.from(new ArrayBuffer(size));
}

/** Makes a system call by number; returns what the kernel does: a negative errno on failure. */
export function syscallByNumber(number: number, args: readonly Word[]): bigint {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = args;
  const { call, errno } = calls();
  const result = call(number, a, b, c, d, e, f);
  return Number(result) === -1 ? BigInt(-errno()) : BigInt(result);
}

/**
 * Makes a system call; returns what the kernel does: a negative errno on failure. An interrupted
 * call is made again: not for close(2) and calls with a timeout.
 */
export function trySyscall(name: SyscallName, ...args: readonly Word[]): number {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = args;
  const { call, errno } = calls();
  const number = syscallNumbers[name];
  for (;;) {
    const result = call(number, a, b, c, d, e, f);
    if (result !== -1 && result !== -1n) return Number(result);
    const failure = errno();
    if (failure !== EINTR) return -failure;
  }
}

/**
 * Makes a system call as {@link trySyscall} does.
 * @throws CkptError with the call's errno.
 */
export function syscall(name: SyscallName, ...args: readonly Word[]): number {
  const result = trySyscall(name, ...args);
  if (result < 0 && result >= -4095) throw failure(-result, name);
  return result;
}

/** The error of a positive errno, of what was tried: "EPERM: reading /proc/1/mem failed with EPERM". */
export function failure(errno: number, what: string): CkptError {
  const name = errnoName(errno);
  if (name === undefined) return new CkptError('EIO', `${what} failed with error number ${errno}`);
  return new CkptError(name, `${what} failed with ${name}`);
}

const EINTR = 4;

import { getRegister, getSigned, withRegisters, type RegisterName } from './registers.ts';
import { syscallNumbers, type SyscallName } from './syscall-numbers.ts';

/** linux/errno.h: what an interrupted call returns before the kernel decides about restarting it. */
const ERESTARTSYS = -512n;
const ERESTARTNOHAND = -514n;
const EINTR = -4n;

const second = 1_000_000_000n;

/** Where a call says for how long it waits at most. */
interface Limit {
  /**
   * An int of milliseconds, negative: none; or a pointer to struct timespec, struct timeval or
   * struct io_uring_getevents_arg, null: none.
   */
  readonly form: 'milliseconds' | 'timespec' | 'timeval' | 'getevents';
  readonly register: RegisterName;
}

const timespec = (register: RegisterName): Limit => ({ form: 'timespec', register });
const milliseconds = (register: RegisterName): Limit => ({ form: 'milliseconds', register });
/** Waits without limit, or with one that only the kernel knows (SO_RCVTIMEO). */
const unseen = undefined;

/**
 * Calls that return EINTR even when their thread was only stopped (signal(7), "Interruption of
 * system calls and library functions by stop signals"), and then have done nothing yet.
 */
const endedByStop = {
  ...{ read: unseen, readv: unseen, pread64: unseen, preadv: unseen, preadv2: unseen },
  ...{ write: unseen, writev: unseen, pwrite64: unseen, pwritev: unseen, pwritev2: unseen },
  ...{ sendfile: unseen, splice: unseen, connect: unseen, accept: unseen, accept4: unseen },
  ...{ recvfrom: unseen, recvmsg: unseen, sendto: unseen, sendmsg: unseen, sendmmsg: unseen },
  recvmmsg: timespec('r8'),
  epoll_wait: milliseconds('r10'),
  epoll_pwait: milliseconds('r10'),
  epoll_pwait2: timespec('r10'),
  semop: unseen,
  semtimedop: timespec('r10'),
  rt_sigtimedwait: timespec('rdx'),
  io_getevents: timespec('r8'),
  io_pgetevents: timespec('r8'),
  io_uring_enter: { form: 'getevents', register: 'r8' },
  // Only where the kernel could not write the rest of the time (fs/select.c).
  select: { form: 'timeval', register: 'r8' },
  pselect6: timespec('r8'),
  ppoll: timespec('rdx'),
} as const satisfies Partial<Record<SyscallName, Limit | undefined>>;

/** Calls that the kernel goes on with by itself, by a restart block. */
const keptByKernel = {
  poll: milliseconds('rdx'),
  nanosleep: timespec('rdi'),
  clock_nanosleep: timespec('rdx'),
  futex: timespec('r10'),
  restart_syscall: unseen,
} as const satisfies Partial<Record<SyscallName, Limit | undefined>>;

const byNumber = (calls: Partial<Record<SyscallName, Limit | undefined>>) =>
  new Map(
    Object.entries(calls).map(([name, limit]) => [
      BigInt(syscallNumbers[name as SyscallName]),
      limit,
    ]),
  );

const ended = byNumber(endedByStop);
const kept = byNumber(keptByKernel);
const recvmmsg = BigInt(syscallNumbers.recvmmsg);
const restartSyscall = BigInt(syscallNumbers.restart_syscall);

/** Reads memory; undefined where nothing is mapped. */
export type Read = (address: bigint, length: number) => Buffer | undefined;

/** True for a call that waits for a limited time: how long it has slept matters. */
export function hasLimit(call: bigint, register: (name: RegisterName) => bigint): boolean {
  if (call === restartSyscall) return true;
  const limit = ended.get(call) ?? kept.get(call);
  if (limit === undefined) return false;
  const value = register(limit.register);
  return limit.form === 'milliseconds' ? BigInt.asIntN(32, value) > 0n : value !== 0n;
}

/** The time limit of a call. */
interface Limited {
  /** Nanoseconds. */
  readonly time: bigint;
  /** The argument with another time; memory that it needs goes to `at`. */
  readonly make: (time: bigint, at: bigint) => { readonly word: bigint; readonly bytes: Buffer };
}

/** struct timespec, or timeval with `unit` 1000. Nanoseconds; undefined for what is none. */
function timeOf(bytes: Buffer | undefined, unit: bigint): bigint | undefined {
  if (bytes === undefined) return undefined;
  const time = bytes.readBigInt64LE(0) * second + bytes.readBigInt64LE(8) * unit;
  return bytes.readBigInt64LE(0) < 0n || bytes.readBigInt64LE(8) < 0n ? undefined : time;
}

function bytesOf(time: bigint, unit: bigint): Buffer {
  const bytes = Buffer.alloc(16);
  const parts = (time + unit - 1n) / unit;
  bytes.writeBigInt64LE((parts * unit) / second, 0);
  bytes.writeBigInt64LE(((parts * unit) % second) / unit, 8);
  return bytes;
}

function pointed(read: Read, pointer: bigint, unit: bigint): Limited | undefined {
  const time = pointer === 0n ? undefined : timeOf(read(pointer, 16), unit);
  if (time === undefined) return undefined;
  return { time, make: (left, at) => ({ word: at, bytes: bytesOf(left, unit) }) };
}

/** io_uring_enter(2): the fifth argument is a struct, and its time not an absolute one. */
const IORING_ENTER_EXT_ARG = 8n;
const IORING_ENTER_ABS_TIMER = 32n;
/** The struct, and where in it the pointer to the time is. */
const getevents = { size: 24, timePointer: 16 } as const;

function ofRing(read: Read, pointer: bigint, flags: bigint): Limited | undefined {
  const isRelative = (flags & (IORING_ENTER_EXT_ARG | IORING_ENTER_ABS_TIMER)) === 8n;
  const struct = isRelative ? read(pointer, getevents.size) : undefined;
  const inner = struct && pointed(read, struct.readBigUInt64LE(getevents.timePointer), 1n);
  if (struct === undefined || inner === undefined) return undefined;
  return {
    time: inner.time,
    make: (left, at) => {
      const bytes = Buffer.concat([bytesOf(left, 1n), struct]);
      bytes.writeBigUInt64LE(at, 16 + getevents.timePointer);
      return { word: at + 16n, bytes };
    },
  };
}

function limitOf(registers: Uint8Array, limit: Limit, read: Read): Limited | undefined {
  const word = getRegister(registers, limit.register);
  if (limit.form === 'timespec') return pointed(read, word, 1n);
  if (limit.form === 'timeval') return pointed(read, word, 1000n);
  if (limit.form === 'getevents') return ofRing(read, word, getRegister(registers, 'r10'));
  const count = BigInt.asIntN(32, word);
  if (count < 0n) return undefined;
  const make = (left: bigint) => ({ word: (left + 999_999n) / 1_000_000n, bytes: Buffer.alloc(0) });
  return { time: count * 1_000_000n, make };
}

/** A thread that makes its call again when it goes on. */
interface MadeAgain {
  readonly registers: Uint8Array;
  /** Bytes below the thread's stack that an argument points to; may be none. */
  readonly scratch: { readonly at: bigint; readonly bytes: Buffer };
}

/** Bytes below the stack pointer that belong to the running function (x86-64 psABI, 3.2.2). */
const redZone = 128n;
const scratchMax = 64n;

/** For a number of nanoseconds that the thread has waited; 0 where nobody knows. */
export type MakeAgain = (asleep: bigint) => MadeAgain;

/**
 * How a thread goes on so that it does not notice the stop, where the stop itself has ended its
 * call: the call is made again, unless a signal handler runs first. Undefined where nothing is to
 * be changed. What it needs of the memory is read at once.
 */
export function madeAgain(registers: Uint8Array, read: Read): MakeAgain | undefined {
  const call = getSigned(registers, 'orig_rax');
  const result = getSigned(registers, 'rax');
  // What recvmmsg(2) waits for at most it looks at between messages only.
  const isEnded = result === EINTR || (result === ERESTARTSYS && call === recvmmsg);
  if (!isEnded || !ended.has(call)) return undefined;
  const again = result === EINTR ? withRegisters(registers, { rax: ERESTARTNOHAND }) : registers;
  const limit = ended.get(call);
  const known = limit === undefined ? undefined : limitOf(registers, limit, read);
  const at = (getRegister(registers, 'rsp') - redZone - scratchMax) & ~15n;
  return (asleep) => {
    if (limit === undefined || known === undefined || asleep <= 0n) {
      return { registers: again, scratch: { at, bytes: Buffer.alloc(0) } };
    }
    const left = known.time > asleep ? known.time - asleep : 0n;
    const { word, bytes } = known.make(left, at);
    return { registers: withRegisters(again, { [limit.register]: word }), scratch: { at, bytes } };
  };
}

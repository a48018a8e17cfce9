import { CkptError } from '@ckpt/format';
import { closeSync } from 'node:fs';
import { native } from './native.ts';
import { stubCode } from './run-executor-code.ts';
import { address, failure, stableBytes, syscall, trySyscall } from './syscall.ts';

const pageSize = 4096;
/** Behind the headers. */
const codeOffset = 0x200;

/** Address of a system call instruction in a stub that lies at `base`. */
export function stubSyscall(base: bigint): bigint {
  const offset = stubCode.findIndex((byte, i) => byte === 0x0f && stubCode[i + 1] === 0x05);
  return base + BigInt(codeOffset + offset);
}

/** A static ELF program of one page at `base` (elf(5)): the stub, a child of `parent`. */
function stubElf(base: bigint, parent: number): Uint8Array {
  const elf = new Uint8Array(pageSize);
  const view = new DataView(elf.buffer);
  const words = (offset: number, values: readonly bigint[]): void => {
    for (const [i, value] of values.entries()) view.setBigUint64(offset + i * 8, value, true);
  };
  elf.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true); // ET_EXEC
  view.setUint16(18, 62, true); // EM_X86_64
  view.setUint32(20, 1, true);
  words(24, [base + BigInt(codeOffset), 64n]);
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 2, true);
  // PT_LOAD, readable and executable: this page.
  view.setUint32(64, 1, true);
  view.setUint32(68, 5, true);
  words(72, [0n, base, base, BigInt(pageSize), BigInt(pageSize), BigInt(pageSize)]);
  // PT_GNU_STACK, not executable: else every readable mapping would be.
  view.setUint32(120, 0x6474e551, true);
  view.setUint32(124, 6, true);
  elf.set(stubCode, codeOffset);
  view.setInt32(codeOffset + stubCode.length - 4, parent, true);
  return elf;
}

/** posix_spawn(3) and what belongs to it; all pointers are buffers. */
interface Spawn {
  readonly spawn: (...args: readonly unknown[]) => number;
  readonly actionsInit: (actions: Uint8Array) => number;
  readonly actionsDup2: (actions: Uint8Array, from: number, to: number) => number;
  readonly actionsDestroy: (actions: Uint8Array) => number;
  readonly attributesInit: (attributes: Uint8Array) => number;
  readonly setFlags: (attributes: Uint8Array, flags: number) => number;
  readonly setMask: (attributes: Uint8Array, mask: Uint8Array) => number;
  readonly setDefault: (attributes: Uint8Array, signals: Uint8Array) => number;
}

let made: Spawn | undefined;

function spawning(): Spawn {
  if (made !== undefined) return made;
  const { libc } = native();
  const actions = 'posix_spawn_file_actions';
  const attributes = 'posix_spawnattr';
  made = {
    spawn: libc.func('int posix_spawn(void *, str, void *, void *, void *, void *)'),
    actionsInit: libc.func(`int ${actions}_init(void *)`),
    actionsDup2: libc.func(`int ${actions}_adddup2(void *, int, int)`),
    actionsDestroy: libc.func(`int ${actions}_destroy(void *)`),
    attributesInit: libc.func(`int ${attributes}_init(void *)`),
    setFlags: libc.func(`int ${attributes}_setflags(void *, short)`),
    setMask: libc.func(`int ${attributes}_setsigmask(void *, void *)`),
    setDefault: libc.func(`int ${attributes}_setsigdefault(void *, void *)`),
  };
  return made;
}

/** spawn.h; glibc and musl agree. */
const POSIX_SPAWN_SETSIGDEF = 0x04;
const POSIX_SPAWN_SETSIGMASK = 0x08;
/** Bytes; the largest of these structs has 336 in glibc. */
const opaqueSize = 512;
const sigsetSize = 128;

/** All but SIGURG, with which the executor tells that it ended. Bit 0 is signal 1. */
export const executorMask = ~(1n << 22n);

/** No signal has a handler or is ignored (Node ignores SIGPIPE), and some are blocked. */
function stubAttributes(libc: Spawn, blocked: bigint): Uint8Array {
  const attributes = stableBytes(opaqueSize);
  const mask = stableBytes(sigsetSize).fill(0xff);
  mask.writeBigUInt64LE(BigInt.asUintN(64, blocked), 0);
  libc.attributesInit(attributes);
  libc.setFlags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  libc.setMask(attributes, mask);
  libc.setDefault(attributes, stableBytes(sigsetSize).fill(0xff));
  return attributes;
}

/** linux/memfd.h, fcntl.h */
const MFD_CLOEXEC = 1;
const MFD_EXEC = 0x10;
const F_DUPFD_CLOEXEC = 1030;

/** RLIMIT_FSIZE holds for files in memory, too. */
function writeProgram(fd: number, elf: Uint8Array): void {
  const written = trySyscall('write', fd, address(elf), elf.length);
  if (written === elf.length) return;
  throw new CkptError(
    'EFBIG',
    `${elf.length} bytes of program could not be written to a file in memory (${written}): ` +
      'is the file size limited? See ulimit -f',
  );
}

/** A file in memory that holds the program, at a descriptor that is not under `fdMin`. */
function programFile(elf: Uint8Array, fdMin: number): number {
  const name = Buffer.from('ckpt\0');
  let fd = trySyscall('memfd_create', address(name), MFD_CLOEXEC | MFD_EXEC);
  if (fd === -22) fd = trySyscall('memfd_create', address(name), MFD_CLOEXEC); // before Linux 6.3
  if (fd === -13) {
    const remedy = 'allow it with: sysctl vm.memfd_noexec=1';
    throw new CkptError('EACCES', `files in memory may not be executed here; ${remedy}`);
  }
  if (fd < 0) throw failure(-fd, 'memfd_create');
  try {
    writeProgram(fd, elf);
    return fd < fdMin ? syscall('fcntl', fd, F_DUPFD_CLOEXEC, fdMin) : fd;
  } finally {
    if (fd < fdMin) closeSync(fd);
  }
}

/**
 * Starts the stub through libc: a child of Node's own `child_process` would have its stops taken
 * away by libuv's waiting.
 * @param base Where the program lies.
 * @param descriptors Pairs of ours and its own; its own are above all of ours.
 * @param blocked Its signal mask: all but SIGURG unless told.
 * @returns Its pid.
 */
export function spawnStub(
  base: bigint,
  descriptors: readonly (readonly [from: number, to: number])[],
  blocked = executorMask,
): number {
  const libc = spawning();
  const fdMin = Math.max(2, ...descriptors.map(([, to]) => to)) + 1;
  const fd = programFile(stubElf(base, syscall('getpid')), fdMin);
  const actions = stableBytes(opaqueSize);
  libc.actionsInit(actions);
  try {
    for (const [from, to] of descriptors) libc.actionsDup2(actions, from, to);
    const name = Buffer.from('ckpt\0');
    const argv = stableBytes(16);
    argv.writeBigUInt64LE(address(name), 0);
    const pid = stableBytes(4);
    const path = `/proc/self/fd/${fd}`;
    const attributes = stubAttributes(libc, blocked);
    const errno = libc.spawn(pid, path, actions, attributes, argv, stableBytes(8));
    if (errno !== 0) throw failure(errno, 'starting the first program of a restart');
    return pid.readInt32LE(0);
  } finally {
    libc.actionsDestroy(actions);
    closeSync(fd);
  }
}

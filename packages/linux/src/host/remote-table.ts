import { CkptError } from '@ckpt/format';
import type { Answer, Argument, Call } from '@ckpt/engine';
import { arenaCall } from './executor-code.ts';
import { syscallNumber } from './syscall-numbers.ts';

/**
 * Calls that cannot be made in somebody else's thread: they would overwrite the kernel's note of an
 * interrupted sleep (restart_block), see or set the mask that the executor runs with, never come
 * back, or come back twice.
 */
const unfit: ReadonlySet<string> = new Set(
  (
    'nanosleep clock_nanosleep poll futex restart_syscall rt_sigreturn rt_sigprocmask rt_sigsuspend ' +
    'pause exit exit_group execve execveat fork vfork clone clone3'
  ).split(' '),
);

/** Arguments are aligned like the strictest struct of the kernel's interface. */
const align = 16;

/** Calls beyond so many bytes of table and arguments go into the next arena. */
const roundSize = 1 << 20;

/** A call in somebody else's thread. */
export interface RemoteCall extends Call {
  /** Those behind it, in the same table, are left out when it returns 0. */
  readonly endsAt0?: true;
}

/** Where the bytes of an `in`, `out` or `inout` argument stand in the arena. */
interface Room {
  readonly offset: number;
  readonly argument: Exclude<Argument, number | bigint>;
}

interface Placed {
  readonly number: number;
  readonly endsAt0: boolean;
  readonly words: readonly (bigint | Room)[];
}

/** The content of an arena: a table of calls and the bytes of their arguments. */
export interface RemoteTable {
  /** Bytes, a multiple of the page size. */
  readonly size: number;
  readonly count: number;
  /** The arena's bytes when it lies at `base`, but for the number of calls in front. */
  encode(base: bigint): Buffer;
  decode(arena: Buffer): Answer[];
}

const roundUp = (size: number, to: number): number => Math.ceil(size / to) * to;

function roomSize(argument: Room['argument']): number {
  if ('out' in argument) return argument.out;
  return 'in' in argument ? argument.in.length : argument.inout.length;
}

/** @throws CkptError ENOSYS for an unknown call, EINVAL for one that cannot be made like this. */
export function callNumber({ call, args }: Call): number {
  const number = syscallNumber(call);
  if (number === undefined) throw new CkptError('ENOSYS', `x86-64 has no system call ${call}`);
  if (args.length > 6) {
    throw new CkptError('EINVAL', `${args.length} arguments for ${call}: a system call takes six`);
  }
  return number;
}

function remoteCallNumber(call: Call): number {
  if (unfit.has(call.call)) {
    throw new CkptError('EINVAL', `${call.call} cannot be called in another process's thread`);
  }
  return callNumber(call);
}

function makeTable(calls: readonly RemoteCall[], pageSize: number): RemoteTable {
  let end = arenaCall.size * (calls.length + 1);
  const placed = calls.map((call): Placed => {
    const words = call.args.map((argument) => {
      if (typeof argument !== 'object') return BigInt.asUintN(64, BigInt(argument));
      const offset = end;
      end = roundUp(end + roomSize(argument), align);
      return { offset, argument };
    });
    return { number: remoteCallNumber(call), endsAt0: call.endsAt0 ?? false, words };
  });
  return {
    size: roundUp(end, pageSize),
    count: calls.length,
    encode: (base) => encode(placed, base, end),
    decode: (arena) => placed.map((call, index) => decode(call, index, arena)),
  };
}

function encode(placed: readonly Placed[], base: bigint, length: number): Buffer {
  const arena = Buffer.alloc(length);
  for (const [index, { number, endsAt0, words }] of placed.entries()) {
    const at = arenaCall.size * (index + 1);
    arena.writeUInt32LE(number, at);
    arena.writeUInt32LE(Number(endsAt0), at + arenaCall.endsAt0);
    for (const [n, word] of words.entries()) {
      const value = typeof word === 'bigint' ? word : base + BigInt(word.offset);
      arena.writeBigUInt64LE(value, at + arenaCall.args + n * 8);
      if (typeof word === 'bigint' || 'out' in word.argument) continue;
      arena.set('in' in word.argument ? word.argument.in : word.argument.inout, word.offset);
    }
  }
  return arena;
}

function decode({ words }: Placed, index: number, arena: Buffer): Answer {
  const result = arena.readBigInt64LE(arenaCall.size * (index + 1) + arenaCall.result);
  const out: Uint8Array[] = [];
  for (const word of words) {
    if (typeof word === 'bigint' || 'in' in word.argument) continue;
    out.push(Uint8Array.from(arena.subarray(word.offset, word.offset + roomSize(word.argument))));
  }
  return { result, out };
}

/** Splits calls into tables: one, unless their arguments have over `sizeMax` bytes. */
export function remoteTables(
  calls: readonly RemoteCall[],
  pageSize: number,
  sizeMax = roundSize,
): RemoteTable[] {
  const tables: RemoteTable[] = [];
  let round: RemoteCall[] = [];
  let size = 0;
  for (const call of calls) {
    const own = call.args.reduce<number>(
      (sum, argument) => sum + (typeof argument === 'object' ? roomSize(argument) : 0),
      arenaCall.size,
    );
    if (round.length > 0 && size + own > sizeMax) {
      tables.push(makeTable(round, pageSize));
      round = [];
      size = 0;
    }
    round.push(call);
    size += own;
  }
  if (round.length > 0) tables.push(makeTable(round, pageSize));
  return tables;
}

import { CkptError } from '@ckpt/format';
import { addressEnd } from './run-check.ts';
import type { Compiled } from './run-plan.ts';
import type { Entry, Ground } from './run-table.ts';
import { syscallNumbers } from './syscall-numbers.ts';

/** Bytes of the executor's code, at the start of its block. */
const codeSize = 4096;
/** For the widest type that a call may expect in a room. */
const alignment = 16;
/** Bytes: one table with something to read is no less. */
const groundMin = 1 << 16;

const pageSize = 4096;
/** Bytes. More calls than that have place for need a resume more, which costs nothing. */
const groundMax = 2 << 20;

const aligned = (length: number, to: number): number => Math.ceil(length / to) * to;

/** The executor's own memory in the new task: behind the page of the stub, in the hole. */
export interface Block {
  readonly address: bigint;
  /** Bytes. */
  readonly length: number;
}

/** As much of the hole as the plan needs, or all of it if it says so. @throws CkptError E2BIG when it needs more. */
export function blockOf({ hole, rooms, entryMax }: Compiled): Block {
  const inRooms = [...rooms.values()].reduce((sum, size) => sum + aligned(size, alignment), 0);
  // A table reserves at most half of its ground for entries.
  const least = codeSize + inRooms + Math.max(groundMin, 2 * entryMax);
  const free = hole.length - pageSize;
  if (least > free) {
    throw new CkptError('E2BIG', `${least} bytes of calls do not fit into a hole of ${free} bytes`);
  }
  const length = hole.whole === true ? free : Math.min(free, aligned(least + groundMax, pageSize));
  return { address: hole.address + BigInt(pageSize), length };
}

/** Rooms behind the code, and all the rest for tables with what they point to. */
export function groundOf(
  { address, length }: Block,
  { rooms }: Compiled,
  results: ReadonlyMap<string, bigint>,
): Ground {
  const places = new Map<string, bigint>();
  let end = codeSize;
  for (const [name, size] of rooms) {
    places.set(name, address + BigInt(end));
    end += aligned(size, alignment);
  }
  return { address: address + BigInt(end), length: length - end, rooms: places, results };
}

/** Unmaps all but the block. */
export function wipeEntries({ address, length }: Block): readonly Entry[] {
  const munmap = (id: string, start: bigint, end: bigint): Entry => ({
    id,
    number: syscallNumbers.munmap,
    args: [start, end - start],
    expect: 0n,
    goOn: false,
  });
  const end = address + BigInt(length);
  return [munmap('below', 0n, address), munmap('above', end, addressEnd)].filter(
    ({ args: [, size] }) => size !== 0n,
  );
}

const descriptorEnd = 0xffffffffn;

/** Closes all descriptors but some. */
export function closeEntries(kept: readonly number[]): readonly Entry[] {
  const close = (first: bigint, last: bigint): Entry => ({
    id: `close ${first}`,
    number: syscallNumbers.close_range,
    args: [first, last, 0n],
    expect: 0n,
    goOn: false,
  });
  const entries: Entry[] = [];
  let first = 0n;
  for (const fd of [...kept].sort((a, b) => a - b).map(BigInt)) {
    if (fd > first) entries.push(close(first, fd - 1n));
    first = fd + 1n;
  }
  return [...entries, close(first, descriptorEnd)];
}

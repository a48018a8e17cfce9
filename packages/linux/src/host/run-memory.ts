import { CkptError } from '@ckpt/format';
import type { Block } from './run-birth.ts';
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

/** Rooms behind the code, and all the rest for tables: room for one with what it points to. */
export function groundOf(
  { address, length }: Block,
  { rooms }: Compiled,
  results: ReadonlyMap<string, bigint>,
): Ground {
  const places = new Map<string, bigint>();
  let end = codeSize;
  for (const [name, size] of rooms) {
    places.set(name, address + BigInt(end));
    end += Math.ceil(size / alignment) * alignment;
  }
  if (end + groundMin > length) {
    throw new CkptError('E2BIG', `${end} bytes of rooms do not fit into a hole of ${length} bytes`);
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

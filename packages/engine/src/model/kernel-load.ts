import { CkptError } from '@ckpt/format';
import type { PageReader } from '../host.ts';
import type { LoadStep } from '../plan.ts';
import { makeCall } from './all-calls.ts';
import type { Operands } from './kernel-values.ts';
import type { ModelProcess } from './process.ts';
import { refuse } from './refuse.ts';

const pageSize = 4096;
/** Pages that are read at once. */
const pagesMax = 256;

const ESPIPE = -29n;

/** Reads stored pages from one on, in pieces. */
function eachPiece(
  pages: PageReader,
  { index, length }: LoadStep,
  use: (bytes: Uint8Array, done: number) => void,
): void {
  const count = Math.ceil(length / pageSize);
  for (let done = 0; done < count;) {
    if (index + done > pages.index) pages.skip(index + done - pages.index);
    const ready = pages.ready();
    if (pages.index !== index + done || ready === 0) {
      throw new CkptError('EINVAL', `page ${index + done} is not in the image any more`);
    }
    const bytes = new Uint8Array(Math.min(ready, count - done, pagesMax) * pageSize);
    pages.read(bytes);
    use(bytes.subarray(0, length - done * pageSize), done * pageSize);
    done += bytes.length / pageSize;
  }
}

function toMemory({ space }: ModelProcess, address: bigint, bytes: Uint8Array): void {
  const range = { start: address, end: address + BigInt(bytes.length) };
  if (!space.allows(range, 'wr')) {
    refuse('EFAULT', `no memory to fill at ${address.toString(16)}`);
  }
  for (let at = 0; at < bytes.length; at += pageSize) {
    const page = bytes.subarray(at, at + pageSize);
    if (page.length === pageSize) space.setPage(address + BigInt(at), page);
    else space.write(address + BigInt(at), page);
  }
}

/** One piece to a descriptor: at its offset, or after what it holds where there are none. */
function toDescriptor(
  process: ModelProcess,
  arena: NonNullable<ModelProcess['user']['arena']>,
  fd: bigint,
  offset: bigint,
  bytes: Uint8Array,
): void {
  for (let done = 0; done < bytes.length;) {
    arena.reset();
    const at = arena.lend(bytes.slice(done));
    const length = BigInt(bytes.length - done);
    const call = (name: string, more: readonly bigint[]): bigint =>
      makeCall({ process, thread: process.leader }, name, [fd, at, length, ...more]);
    const first = call('pwrite64', [offset < 0n ? 0n : offset + BigInt(done)]);
    const result = first === ESPIPE ? call('write', []) : first;
    if (result <= 0n) throw new CkptError('EIO', `writing stored contents: ${result.toString()}`);
    done += Number(result);
  }
  arena.reset();
}

/** Fills memory or a descriptor. @throws CkptError EFAULT, EPIPE, EINVAL. */
export function loadStep(
  process: ModelProcess,
  step: LoadStep,
  pages: PageReader,
  operands: Operands,
): void {
  const { to } = step;
  if ('address' in to) {
    eachPiece(pages, step, (bytes, done) => {
      toMemory(process, to.address + BigInt(done), bytes);
    });
    return;
  }
  const [fd = -1n] = operands.words([to.fd]);
  const { arena } = process.user;
  if (arena === undefined) throw new Error('a load without an executor');
  eachPiece(pages, step, (bytes, done) => {
    toDescriptor(process, arena, fd, to.offset < 0n ? -1n : to.offset + BigInt(done), bytes);
  });
}

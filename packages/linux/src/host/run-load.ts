import type { LoadStep } from '@ckpt/engine';
import { CkptError } from '@ckpt/format';
import { nameOf } from './run-error.ts';
import { entryStatus } from './run-executor-code.ts';
import { fillMemory, pageSize, type LoadScope, type Piece } from './run-fill.ts';
import type { PlannedLoad } from './run-plan.ts';
import { encodeTable, type Entry, type Operand } from './run-table.ts';
import { syscallNumbers } from './syscall-numbers.ts';

/** Bytes on the way to a descriptor. */
const bufferMax = 1 << 20;

/** Bytes in the new task. */
interface Buffer {
  readonly address: bigint;
  readonly length: number;
}

/** Where a buffer goes. */
interface Target {
  readonly step: LoadStep;
  readonly fd: Operand;
  /** Undefined for a pipe, which has no offsets. */
  readonly offset: bigint | undefined;
}

/** One write of the new task. */
function writeEntry({ step, fd, offset }: Target, { address, length }: Buffer): Entry {
  const args = [fd, address, BigInt(length)];
  const { pwrite64, write } = syscallNumbers;
  return offset === undefined
    ? { id: step.id, number: write, args, goOn: true }
    : { id: step.id, number: pwrite64, args: [...args, offset], goOn: true };
}

/** Where a target goes on when some bytes are written. */
function behind(target: Target, bytes: number): Target {
  const { offset } = target;
  return { ...target, offset: offset === undefined ? undefined : offset + BigInt(bytes) };
}

/** Writes all of a buffer to a descriptor. */
function drain(scope: LoadScope, tid: number, target: Target, buffer: Buffer): void {
  const { tracee, ground } = scope;
  for (let done = 0; done < buffer.length;) {
    const left = { address: buffer.address + BigInt(done), length: buffer.length - done };
    const table = encodeTable([writeEntry(behind(target, done), left)], 0, ground);
    const [outcome] = tracee.run(tid, ground.address, table);
    if (outcome?.status !== entryStatus.done || outcome.result === 0n) {
      throw new CkptError(nameOf(outcome?.result ?? 0n), 'writing stored contents');
    }
    done += Number(outcome.result);
  }
}

/** Fills a descriptor through a buffer in the new task: the end of its ground. */
function fillDescriptor(scope: LoadScope, tid: number, step: LoadStep, fd: Operand): void {
  const { ground } = scope;
  const half = Math.floor(ground.length / 2 / pageSize) * pageSize;
  const size = Math.min(bufferMax, half);
  const inside = { ...scope, ground: { ...ground, length: ground.length - size } };
  const address = ground.address + BigInt(ground.length - size);
  const start = 'fd' in step.to && step.to.offset >= 0n ? step.to.offset : undefined;
  const target = { step, fd, offset: start };
  for (let done = 0; done < step.length; done += size) {
    const length = Math.min(size, step.length - done);
    fillMemory(inside, tid, [{ address, length, index: step.index + done / pageSize }]);
    drain(inside, tid, behind(target, done), { address, length });
  }
}

/** Adds the step to an error that knows its place in the image less exactly. */
function inStep<T>(step: LoadStep, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof CkptError)) throw error;
    throw error.within(step.from.path, { position: step.from.position });
  }
}

/**
 * Loads stored pages, in their order.
 * @throws CkptError EPIPE when the image ends before, or as the call that failed.
 */
export function load(scope: LoadScope, tid: number, loads: readonly PlannedLoad[]): void {
  let pieces: Piece[] = [];
  let first: LoadStep | undefined;
  const flush = (): void => {
    if (first !== undefined)
      inStep(first, () => {
        fillMemory(scope, tid, pieces);
      });
    pieces = [];
    first = undefined;
  };
  for (const { step, fd } of loads) {
    if (fd !== undefined) {
      flush();
      inStep(step, () => {
        fillDescriptor(scope, tid, step, fd);
      });
    } else if ('address' in step.to) {
      first ??= step;
      pieces.push({ address: step.to.address, length: step.length, index: step.index });
    }
  }
  flush();
}

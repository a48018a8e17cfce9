import type { LoadStep } from '@ckpt/engine';
import { CkptError } from '@ckpt/format';
import { nameOf } from './run-error.ts';
import { entryStatus } from './run-executor-code.ts';
import { fillMemory, inStep, pageSize, type LoadScope } from './run-fill.ts';
import { encodeTable, type Entry, type Operand, type Outcome } from './run-table.ts';
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
    done += writtenBy(outcome);
  }
}

/** Bytes. @throws CkptError as write(2). */
function writtenBy(outcome: Outcome | undefined): number {
  if (outcome?.status === entryStatus.done && outcome.result !== 0n) return Number(outcome.result);
  throw new CkptError(nameOf(outcome?.result ?? 0n), 'writing stored contents');
}

/** A buffer in the new task, at the end of its ground, and the ground that is left. */
function bufferIn(scope: LoadScope): { readonly buffer: Buffer; readonly inside: LoadScope } {
  const { ground } = scope;
  const half = Math.floor(ground.length / 2 / pageSize) * pageSize;
  const length = Math.min(bufferMax, half);
  const address = ground.address + BigInt(ground.length - length);
  const inside = { ...scope, ground: { ...ground, length: ground.length - length } };
  return { buffer: { address, length }, inside };
}

/** Where the content of a step goes first. */
function targetOf(step: LoadStep, fd: Operand): Target {
  const start = 'fd' in step.to && step.to.offset >= 0n ? step.to.offset : undefined;
  return { step, fd, offset: start };
}

/** Fills a descriptor through a buffer in the new task. */
function fillDescriptor(scope: LoadScope, tid: number, step: LoadStep, fd: Operand): void {
  const { buffer, inside } = bufferIn(scope);
  const { address, length: size } = buffer;
  const target = targetOf(step, fd);
  for (let done = 0; done < step.length; done += size) {
    const length = Math.min(size, step.length - done);
    fillMemory(inside, tid, [{ address, length, index: step.index + done / pageSize }]);
    drain(inside, tid, behind(target, done), { address, length });
  }
}

/** A load into a descriptor. */
interface Filling {
  readonly step: LoadStep;
  readonly fd: Operand;
}

const pagesOf = ({ step }: Filling): number => Math.ceil(step.length / pageSize);

/** Fills many descriptors with the little that goes to each: all of it lies in the buffer at once. */
function fillTogether(scope: LoadScope, tid: number, fillings: readonly Filling[]): void {
  const { buffer, inside } = bufferIn(scope);
  let end = buffer.address;
  const parts = fillings.map((filling) => {
    const { step, fd } = filling;
    const part = { address: end, length: step.length, target: targetOf(step, fd) };
    end += BigInt(pagesOf(filling) * pageSize);
    return part;
  });
  const pieces = parts.map(({ target: { step }, ...part }) => ({ ...part, index: step.index }));
  const [first] = fillings;
  if (first !== undefined) {
    inStep(first.step, () => {
      fillMemory(inside, tid, pieces);
    });
  }
  const entries = parts.map((part) => writeEntry(part.target, part));
  for (let start = 0; start < entries.length;) {
    const table = encodeTable(entries, start, inside.ground);
    const outcomes = inside.tracee.run(tid, inside.ground.address, table);
    const ran = parts.slice(start, start + table.count);
    for (const [index, { address, length, target }] of ran.entries()) {
      inStep(target.step, () => {
        const done = writtenBy(outcomes[index]);
        const left = { address: address + BigInt(done), length: length - done };
        drain(inside, tid, behind(target, done), left);
      });
    }
    start += table.count;
  }
}

/** Gathers loads into descriptors while they find place in one buffer. */
export class Fillings {
  readonly #scope: LoadScope;
  readonly #tid: number;
  readonly #pagesMax: number;
  #waiting: Filling[] = [];
  #pages = 0;

  constructor(scope: LoadScope, tid: number) {
    this.#scope = scope;
    this.#tid = tid;
    this.#pagesMax = bufferIn(scope).buffer.length / pageSize;
  }

  add(filling: Filling): void {
    const pages = pagesOf(filling);
    if (this.#pages + pages > this.#pagesMax) this.flush();
    if (pages > this.#pagesMax) {
      inStep(filling.step, () => {
        fillDescriptor(this.#scope, this.#tid, filling.step, filling.fd);
      });
      return;
    }
    this.#waiting.push(filling);
    this.#pages += pages;
  }

  flush(): void {
    if (this.#waiting.length === 0) return;
    fillTogether(this.#scope, this.#tid, this.#waiting);
    this.#waiting = [];
    this.#pages = 0;
  }
}

import type { LoadStep, PageReader } from '@ckpt/engine';
import { CkptError } from '@ckpt/format';
import type { Memory } from './memory.ts';
import { readSegments, type Segment } from './run-read.ts';
import type { Ground } from './run-table.ts';
import type { Tracee } from './run-tracee.ts';
import { stableBytes } from './syscall.ts';

/** Bytes. */
export const pageSize = 4096;
/** Bytes that are on the way from a pipe to memory at a time. */
const bufferSize = 1 << 20;

/** What loads need. */
export interface LoadScope {
  readonly tracee: Tracee;
  readonly memory: Memory;
  readonly pages: PageReader;
  readonly ground: Ground;
  /** The image in the new task, where that is a regular file, which it can read by itself. */
  readonly imageFd: number | undefined;
}

/** Some pages of the store and the memory that they go to. */
export interface Piece {
  readonly address: bigint;
  /** Bytes. */
  readonly length: number;
  /** Of the first page, counted from the start of the store. */
  readonly index: number;
}

/** Goes on to a page; returns how many there are in a row. */
function reach(pages: PageReader, index: number): number {
  if (index > pages.index) pages.skip(index - pages.index);
  const ready = pages.ready();
  if (index !== pages.index || ready === 0) {
    throw new CkptError('EINVAL', `page ${index} is not in the image any more`);
  }
  return ready;
}

/** The pages go through this process: from a pipe, a socket, memory. */
function writePiece({ pages, memory }: LoadScope, piece: Piece, buffer: Uint8Array): void {
  for (let done = 0; done < piece.length;) {
    const left = piece.length - done;
    const ready = reach(pages, piece.index + done / pageSize);
    const whole = Math.min(ready * pageSize, Math.ceil(left / pageSize) * pageSize, buffer.length);
    pages.read(buffer.subarray(0, whole));
    const length = Math.min(whole, left);
    memory.write(piece.address + BigInt(done), buffer.subarray(0, length));
    done += length;
  }
}

/** The new task reads whole pages by itself; as many in one go as stand in a row in the image. */
function readPieces(scope: LoadScope, tid: number, fd: number, pieces: readonly Piece[]): void {
  const { pages } = scope;
  let segments: Segment[] = [];
  let waiting = 0;
  const flush = (): void => {
    readSegments(scope, tid, fd, segments);
    if (waiting > 0) pages.taken(waiting);
    segments = [];
    waiting = 0;
  };
  for (const { address, length, index } of pieces) {
    for (let done = 0; done < length;) {
      const page = index + done / pageSize;
      const follows = waiting > 0 && page === pages.index + waiting && waiting < pages.ready();
      if (!follows) flush();
      const ready = follows ? pages.ready() - waiting : reach(pages, page);
      const count = Math.min(ready, (length - done) / pageSize);
      segments.push({ address: address + BigInt(done), length: count * pageSize });
      waiting += count;
      done += count * pageSize;
    }
  }
  flush();
}

/** A piece without the part of a page at its end, and that part. */
function splitTail(piece: Piece): readonly [whole: Piece, tail: Piece] {
  const length = Math.floor(piece.length / pageSize) * pageSize;
  const tail = {
    address: piece.address + BigInt(length),
    length: piece.length - length,
    index: piece.index + length / pageSize,
  };
  return [{ ...piece, length }, tail];
}

/**
 * Fills memory with stored pages, in their order, and with as few copies as possible.
 * @throws CkptError EPIPE when the image ends before, EFAULT where nothing is mapped.
 */
export function fillMemory(scope: LoadScope, tid: number, pieces: readonly Piece[]): void {
  const { imageFd } = scope;
  const buffer = stableBytes(imageFd === undefined ? bufferSize : pageSize);
  if (imageFd === undefined) {
    for (const piece of pieces) writePiece(scope, piece, buffer);
    return;
  }
  let whole: Piece[] = [];
  for (const piece of pieces) {
    const [front, tail] = splitTail(piece);
    whole.push(front);
    if (tail.length === 0) continue;
    readPieces(scope, tid, imageFd, whole);
    writePiece(scope, tail, buffer);
    whole = [];
  }
  readPieces(scope, tid, imageFd, whole);
}

/** Adds the step to an error that knows its place in the image less exactly. */
export function inStep<T>(step: LoadStep, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof CkptError)) throw error;
    throw error.within(step.from.path, { position: step.from.position });
  }
}

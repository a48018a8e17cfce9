import { CkptError } from '@ckpt/format';
import { nameOf } from './run-error.ts';
import { entryStatus } from './run-executor-code.ts';
import { encodeTable, type Entry, type Ground, type Outcome } from './run-table.ts';
import type { Tracee } from './run-tracee.ts';
import { syscallNumbers } from './syscall-numbers.ts';

/** Segments of one readv(2): UIO_MAXIOV (linux/uio.h). */
const segmentsMax = 1024;
const iovecSize = 16;

/** Some memory of the new task. */
export interface Segment {
  readonly address: bigint;
  /** Bytes. */
  readonly length: number;
}

function groupsOf(segments: readonly Segment[]): readonly (readonly Segment[])[] {
  const groups: Segment[][] = [];
  for (let start = 0; start < segments.length; start += segmentsMax) {
    groups.push(segments.slice(start, start + segmentsMax));
  }
  return groups;
}

function entryOf(segments: readonly Segment[], index: number, fd: number): Entry {
  const bytes = new Uint8Array(segments.length * iovecSize);
  const view = new DataView(bytes.buffer);
  let total = 0;
  for (const [i, { address, length }] of segments.entries()) {
    view.setBigUint64(i * iovecSize, address, true);
    view.setBigUint64(i * iovecSize + 8, BigInt(length), true);
    total += length;
  }
  return {
    id: `read ${index}`,
    number: syscallNumbers.readv,
    args: [BigInt(fd), { blob: { bytes, pointers: [] } }, BigInt(segments.length)],
    expect: BigInt(total),
    goOn: false,
  };
}

/** What is left to do of segments when the first bytes of them were filled. */
function without(segments: readonly Segment[], filled: number): readonly Segment[] {
  let skipped = filled;
  const left: Segment[] = [];
  for (const { address, length } of segments) {
    const here = Math.min(skipped, length);
    if (here < length) left.push({ address: address + BigInt(here), length: length - here });
    skipped -= here;
  }
  return left;
}

/** How much a call that did not read all did read. */
function partOf({ status, result }: Outcome): number {
  if (status === entryStatus.otherResult && result > 0n) return Number(result);
  if (result === 0n) throw new CkptError('EPIPE', 'the image ends before its pages do');
  throw new CkptError(nameOf(result), 'reading pages of the image into memory');
}

/**
 * Fills memory of the new task from the position of one of its descriptors, by its own readv(2).
 * Together the segments have less than 2 GiB.
 * @throws CkptError EPIPE when the file ends before, or as readv.
 */
export function readSegments(
  { tracee, ground }: { readonly tracee: Tracee; readonly ground: Ground },
  tid: number,
  fd: number,
  segments: readonly Segment[],
): void {
  let left = segments;
  while (left.length > 0) {
    const groups = groupsOf(left);
    const entries = groups.map((group, index) => entryOf(group, index, fd));
    const table = encodeTable(entries, 0, ground);
    const outcomes = tracee.run(tid, ground.address, table);
    const index = outcomes.findIndex(({ status }) => status !== entryStatus.done);
    const outcome = outcomes[index];
    left =
      outcome === undefined
        ? groups.slice(table.count).flat()
        : without(groups.slice(index).flat(), partOf(outcome));
  }
}

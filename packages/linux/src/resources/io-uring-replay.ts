import type { ImageRecord, Value } from '@ckpt/engine';
import { CKPT_HDR_BUFFER, IoUring, ioUringSetupFlags } from '@ckpt/format';
import { cString } from '../procfs/text.ts';
import type { Restoring } from './descriptor.ts';
import type { Corral } from './io-uring-corral.ts';
import { arrayOffset, ringLayout } from './io-uring-facts.ts';
import { O_CLOEXEC } from './path-open.ts';

/** Requests that are made anew, at 0.1 µs each and one system call for as many as the ring holds. */
export const replayMax = 1 << 24;

/** Where mmap(2) finds the submission entries (io_uring_setup(2)). */
const IORING_OFF_SQES = 0x1000_0000;

/** struct io_uring_params (linux/io_uring.h). */
const paramsSize = 120;
const paramsCqEntries = 4;
const paramsFlags = 8;
const paramsSqCpu = 12;
const paramsSqIdle = 16;
const paramsSqOff = 40;
const paramsCqOff = 80;

/** A ring of some sizes, as struct io_uring_params asks for it and describes it. */
interface Shape {
  readonly sqEntries: number;
  readonly cqEntries: number;
  /** There is an index array, within what the program has mapped. */
  readonly hasArray: boolean;
  /** What a polling thread is given; undefined without one. */
  readonly poller:
    { readonly flags: number; readonly cpu: number; readonly idle: number } | undefined;
}

function paramsOf({ cqEntries, hasArray, poller }: Shape): Uint8Array {
  const bytes = new Uint8Array(paramsSize);
  const view = new DataView(bytes.buffer);
  const { CQSIZE, NO_SQARRAY } = ioUringSetupFlags;
  view.setUint32(paramsCqEntries, cqEntries, true);
  const { flags, cpu, idle } = poller ?? { flags: 0, cpu: 0, idle: 0 };
  view.setUint32(paramsFlags, CQSIZE | (hasArray ? 0 : NO_SQARRAY) | flags, true);
  view.setUint32(paramsSqCpu, cpu, true);
  view.setUint32(paramsSqIdle, idle, true);
  return bytes;
}

/** What the kernel must say of the layout: the program knows no other. */
function offsetsOf({ cqEntries, hasArray }: Shape): Uint8Array {
  const bytes = new Uint8Array(paramsSize - paramsSqOff);
  const view = new DataView(bytes.buffer);
  const { sqHead, sqTail, sqMask, sqEntries, sqFlags, dropped } = ringLayout;
  const array = hasArray ? arrayOffset(cqEntries) : 0;
  const sq = [sqHead, sqTail, sqMask, sqEntries, sqFlags, dropped, array];
  for (const [index, word] of sq.entries()) view.setUint32(index * 4, word, true);
  const { cqHead, cqTail, cqMask, cqEntries: entries, overflow, cqes, cqFlags } = ringLayout;
  const cq = [cqHead, cqTail, cqMask, entries, overflow, cqes, cqFlags];
  for (const [index, word] of cq.entries()) {
    view.setUint32(paramsCqOff - paramsSqOff + index * 4, word, true);
  }
  return bytes;
}

/** Bytes that system calls put into the memory of a ring, all in one file without a name. */
class Contents {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  /** Returns their offset in the file. */
  add(bytes: Uint8Array): number {
    const at = this.#length;
    this.#parts.push(bytes);
    this.#length += bytes.length;
    return at;
  }

  words(values: readonly number[]): number {
    return this.add(new Uint8Array(Uint32Array.from(values).buffer));
  }

  bytes(): Uint8Array {
    const all = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }
}

/** Requests in batches as large as the ring, and the heads that make room for their completions. */
export function batchesOf(
  total: number,
  sqEntries: number,
  cqEntries: number,
): readonly { readonly count: number; readonly head?: number }[] {
  const batches: { count: number; head?: number }[] = [];
  let head = 0;
  for (let begun = 0; begun < total; begun += sqEntries) {
    const count = Math.min(sqEntries, total - begun);
    const isFull = begun + count - head > cqEntries;
    if (isFull) head = begun;
    batches.push(isFull ? { count, head } : { count });
  }
  return batches;
}

/** Memory of a ring as it was, its length as mapped; the index array spelled out. */
function ringMemory(record: ImageRecord<IoUring>, { sqEntries, cqEntries, hasArray }: Shape) {
  const bytes = new Uint8Array(Number(record.value.ring_size));
  const saved = record.bytesOf(CKPT_HDR_BUFFER, 0);
  if (saved.length > bytes.length) {
    throw record.invalid('ring_size', `${saved.length} bytes do not fit a ring of ${bytes.length}`);
  }
  bytes.set(saved);
  const isPlain = (record.value.setup_flags & ioUringSetupFlags.NO_SQARRAY) !== 0;
  if (!hasArray || !isPlain) return bytes;
  const view = new DataView(bytes.buffer, arrayOffset(cqEntries));
  for (let index = 0; index < sqEntries; index++) view.setUint32(index * 4, index, true);
  return bytes;
}

function entriesMemory(record: ImageRecord<IoUring>): Uint8Array {
  const bytes = new Uint8Array(Number(record.value.sqes_size));
  const saved = record.bytesOf(CKPT_HDR_BUFFER, 1);
  if (saved.length > bytes.length) {
    throw record.invalid('sqes_size', `${saved.length} bytes do not fit ${bytes.length}`);
  }
  bytes.set(saved);
  return bytes;
}

/** Counters beyond what is replayed start at a place of the ring that means the same. */
export function shiftOf(sqHead: number, cqEntries: number): number {
  return sqHead > replayMax ? sqHead - (sqHead % cqEntries) : 0;
}

/** How many requests there are up to each batch. */
function tailsOf(batches: readonly { readonly count: number }[]): readonly number[] {
  let tail = 0;
  return batches.map(({ count }) => (tail += count));
}

/** io_uring_enter(2) */
const IORING_ENTER_GETEVENTS = 1;
const IORING_ENTER_SQ_WAKEUP = 2;

/** All that is written to a ring, in a file, and where it is in there. */
function contentsOf(record: ImageRecord<IoUring>, shape: Shape) {
  const { value } = record;
  const shift = shiftOf(value.sq_head, shape.cqEntries);
  const batches = batchesOf(value.sq_head - shift, shape.sqEntries, shape.cqEntries);
  const contents = new Contents();
  const rings = ringMemory(record, shape);
  const sqes = entriesMemory(record);
  const at = {
    params: contents.add(paramsOf(shape)),
    tails: contents.words(tailsOf(batches)),
    heads: contents.words(batches.flatMap(({ head }) => head ?? [])),
    rings: contents.add(rings),
    sqes: contents.add(sqes),
    sqTail: contents.words([value.sq_tail - shift]),
    cqHead: contents.words([value.cq_head - shift]),
  };
  return { batches, at, blob: contents.bytes() };
}

function pollerOf({ setup_flags, sq_cpu: cpu, sq_idle: idle }: IoUring): Shape['poller'] {
  const { SQPOLL, SQ_AFF } = ioUringSetupFlags;
  const flags = setup_flags & (SQPOLL | SQ_AFF);
  return flags === 0 ? undefined : { flags, cpu, idle };
}

/**
 * Plans a ring: made, mapped in its place, its counters brought to where they were by as many
 * requests that do nothing, and its memory as the program had it. Zeroed entries are
 * IORING_OP_NOP, and a zeroed index array names the first of them.
 */
export function replay(
  { scope }: Restoring,
  record: ImageRecord<IoUring>,
  corral: Corral,
  number: number,
): void {
  const { ring_address: ring, ring_size: ringSize, sqes_address: sqesAt, sqes_size } = record.value;
  const { sq_entries: sqEntries, cq_entries: cqEntries } = record.value;
  const hasArray = ringSize >= BigInt(arrayOffset(cqEntries) + sqEntries * 4);
  const shape = { sqEntries, cqEntries, hasArray, poller: pollerOf(record.value) };
  const { batches, at, blob } = contentsOf(record, shape);
  const what = 'a ring of io_uring(7)';
  const call = (name: string, args: readonly Value[], expect?: number) =>
    scope.call('wipe', record, name, args, { what, ...(expect === undefined ? {} : { expect }) });
  const file = call('memfd_create', [{ blob: cString('ring') }, 0]);
  call('write', [file, { blob }, blob.length], blob.length);
  const put = (from: number, to: Value, length: number) =>
    call('pread64', [file, to, length, from], length);

  const room = scope.fresh('params');
  const params = { room, size: paramsSize };
  put(at.params, params, paramsSize);
  const fd = scope.call('wipe', record, 'io_uring_setup', [sqEntries, params], {
    what:
      'a ring of io_uring(7): /proc/sys/kernel/io_uring_disabled must be 0' +
      (shape.poller === undefined ? '' : `, processor ${shape.poller.cpu} there`),
    expectRoom: { room, offset: paramsSqOff, bytes: offsetsOf(shape) },
  });
  call('dup3', [fd, number, O_CLOEXEC], number);
  call('close', [fd]);
  corral.map({ start: ring, end: ring + ringSize }, number, 0);
  corral.map({ start: sqesAt, end: sqesAt + sqes_size }, number, IORING_OFF_SQES);

  const field = (offset: number): bigint => ring + BigInt(offset);
  const isPolled = shape.poller !== undefined;
  let [nth, begun, seen] = [0, 0, 0];
  for (const [index, { count, head }] of batches.entries()) {
    if (head !== undefined) put(at.heads + 4 * nth++, field(ringLayout.cqHead), 4);
    // A thread that polls takes all that it sees, and is waited for.
    const visible = isPolled ? index : batches.length - 1;
    if (isPolled || index === 0) put(at.tails + 4 * visible, field(ringLayout.sqTail), 4);
    [begun, seen] = [begun + count, head ?? seen];
    const how = isPolled ? IORING_ENTER_GETEVENTS | IORING_ENTER_SQ_WAKEUP : 0;
    call('io_uring_enter', [number, count, isPolled ? begun - seen : 0, how, 0, 0], count);
  }
  const putBack = (from: number, length: number): void => {
    put(at.rings + from, field(from), length);
  };
  put(at.sqes, sqesAt, Number(sqes_size));
  putBack(ringLayout.cqes, Number(ringSize) - ringLayout.cqes);
  putBack(ringLayout.dropped, 4);
  putBack(ringLayout.cqFlags, 8);
  put(at.sqTail, field(ringLayout.sqTail), 4);
  put(at.cqHead, field(ringLayout.cqHead), 4);
  call('close', [file]);
}

import { arrayOffset, sqeSize, type RingCounters } from './io-uring-facts.ts';

/** Without the zeros at its end. */
export function trimmed(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, bytes.findLastIndex((byte) => byte !== 0) + 1);
}

/** The index array: which submission entry each place of the ring names; empty where not mapped. */
function indexesOf(memory: Uint8Array, { sqEntries, cqEntries }: RingCounters): readonly number[] {
  const start = arrayOffset(cqEntries);
  const view = new DataView(memory.buffer, memory.byteOffset, memory.length);
  if (start + sqEntries * 4 > memory.length) return [];
  return Array.from({ length: sqEntries }, (_, index) => view.getUint32(start + index * 4, true));
}

/**
 * True when the places of the ring mean the submission entries in their order. Nothing tells
 * whether a ring was made with IORING_SETUP_NO_SQARRAY; its index array is then all zero, or not
 * there. With an array of zeros and none but the first entry ever used, a program means just that.
 */
export function hasPlainOrder(
  memory: Uint8Array,
  sqes: Uint8Array,
  counters: RingCounters,
): boolean {
  const indexes = indexesOf(memory, counters);
  if (indexes.every((value, index) => value === index)) return true;
  if (indexes.some((value) => value !== 0)) return false;
  const usesOthers = sqes.subarray(sqeSize).some((byte) => byte !== 0);
  return usesOthers || counters.sqTail <= 1;
}

const IORING_OP_NOP = 0;
const IORING_OP_EPOLL_CTL = 29;

/**
 * True when the program reads the counters from the ring each time: libuv, whose ring for
 * epoll_ctl(2) is the only known one that holds nothing else. liburing keeps copies of its own.
 */
export function keepsNoCopies(sqes: Uint8Array): boolean {
  const opcodes = new Set<number>();
  for (let at = 0; at < sqes.length; at += sqeSize) opcodes.add(sqes[at] ?? 0);
  opcodes.delete(IORING_OP_NOP);
  opcodes.delete(IORING_OP_EPOLL_CTL);
  return opcodes.size === 0 && sqes.some((byte) => byte !== 0);
}

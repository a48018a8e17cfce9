import { RingFile } from './io-uring.ts';
import { refuse, Unmodelled } from './refuse.ts';
import type { Caller, SystemCalls, Words } from './system-call.ts';

/** linux/io_uring.h */
const IORING_SETUP_CQSIZE = 1 << 3;
const IORING_SETUP_NO_SQARRAY = 1 << 16;
const IORING_REGISTER_EVENTFD = 4;
/** struct io_uring_params: bytes, and where its parts are. */
const paramsSize = 120;
const sqOffsetsAt = 40;
const cqOffsetsAt = 80;
const sqEntriesMax = 32_768;
const cqEntriesMax = 65_536;
const O_RDWR = 2;

const roundedUp = (entries: number): number => 2 ** Math.ceil(Math.log2(Math.max(entries, 1)));

function setWords(view: DataView, at: number, words: readonly number[]): void {
  for (const [index, word] of words.entries()) view.setUint32(at + index * 4, word, true);
}

function setup({ process }: Caller, args: Words): number {
  const asked = args.unsigned(0);
  const params = process.user.view(args.word(1), paramsSize);
  const flags = params.getUint32(8, true);
  if ((flags & ~(IORING_SETUP_CQSIZE | IORING_SETUP_NO_SQARRAY)) !== 0) {
    throw new Unmodelled(`ring with flags 0x${flags.toString(16)}`);
  }
  if (asked === 0 || asked > sqEntriesMax) refuse('EINVAL', `${asked} entries`);
  const sq = roundedUp(asked);
  const cq = (flags & IORING_SETUP_CQSIZE) === 0 ? sq * 2 : roundedUp(params.getUint32(4, true));
  if (cq < sq || cq > cqEntriesMax) refuse('EINVAL', `${cq} completions`);
  const hasArray = (flags & IORING_SETUP_NO_SQARRAY) === 0;
  const ring = new RingFile(process.machine.nextInode(), sq, cq, hasArray);
  process.user.put(args.word(1), paramsSize, (view) => {
    setWords(view, 0, [sq, cq, flags, 0, 0, 0x3fff]);
    // head, tail, ring_mask, ring_entries, flags, dropped, array
    setWords(view, sqOffsetsAt, [0, 4, 16, 24, 36, 32, hasArray ? ring.arrayAt : 0]);
    // head, tail, ring_mask, ring_entries, overflow, cqes, flags
    setWords(view, cqOffsetsAt, [8, 12, 20, 28, 44, 64, 40]);
  });
  return process.open(ring, O_RDWR, true);
}

function ringAt({ process }: Caller, fd: number): RingFile {
  const { object } = process.table.file(fd);
  return object instanceof RingFile ? object : refuse('EOPNOTSUPP', `descriptor ${fd}`);
}

export const ioUringCalls: SystemCalls = {
  io_uring_setup: setup,
  io_uring_enter: (caller, args) => {
    if (args.word(3) !== 0n || args.word(2) !== 0n)
      throw new Unmodelled('io_uring_enter(2) that waits');
    return ringAt(caller, args.int(0)).enter(args.unsigned(1));
  },
  io_uring_register: (caller, args) => {
    ringAt(caller, args.int(0));
    if (args.unsigned(1) !== IORING_REGISTER_EVENTFD) {
      throw new Unmodelled(`io_uring_register(2) ${args.unsigned(1)}`);
    }
    const fd = caller.process.user.view(args.word(2), 4).getInt32(0, true);
    caller.process.table.file(fd);
    throw new Unmodelled('eventfd of a ring');
  },
};

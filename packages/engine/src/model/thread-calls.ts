import { refuse, Unmodelled } from './refuse.ts';
import type { SystemCall, SystemCallOptions, SystemCalls } from './system-call.ts';

/** prctl(2) */
const PR_SET_PDEATHSIG = 1;
const PR_GET_PDEATHSIG = 2;
const PR_SET_NAME = 15;
const PR_GET_NAME = 16;
const PR_SET_TIMERSLACK = 29;
const PR_GET_TIMERSLACK = 30;
const PR_SET_NO_NEW_PRIVS = 38;
const PR_GET_NO_NEW_PRIVS = 39;
const PR_GET_TID_ADDRESS = 40;

/** TASK_COMM_LEN, with its NUL. */
const commSize = 16;
/** struct robust_list_head. */
const robustListSize = 24n;
/** struct rseq as glibc registers it, and as it must be aligned. */
const rseqSizeMin = 32;
const rseqAlign = 32n;
const addressMax = 0x7fff_ffff_f000n;

const rseq: SystemCall = ({ process, thread }, args) => {
  const address = args.word(0);
  const size = args.unsigned(1);
  const flags = args.int(2);
  const signature = args.unsigned(3);
  if (flags !== 0) throw new Unmodelled(`rseq(2) with flags ${flags}`);
  const { rseq: known } = thread;
  if (known.address !== 0n) {
    if (known.address !== address || known.size !== size) refuse('EINVAL', 'another area');
    if (known.signature !== signature) refuse('EPERM', 'another signature');
    refuse('EBUSY', 'it is registered already');
  }
  if (size < rseqSizeMin || address % rseqAlign !== 0n) refuse('EINVAL', 'no such area');
  if (address + BigInt(size) > addressMax) refuse('EFAULT', 'no user memory');
  // The kernel clears the section, and writes the rest when the thread runs.
  process.user.put(address + 8n, 8, (view) => {
    view.setBigUint64(0, 0n, true);
  });
  thread.rseq = { address, size, signature, flags: 0 };
  return 0;
};

export const threadCalls: SystemCalls = {
  gettid: ({ thread }) => thread.tid,
  set_tid_address: ({ thread }, args) => {
    thread.clearChildTid = args.word(0);
    return thread.tid;
  },
  set_robust_list: ({ thread }, args) => {
    if (args.word(1) !== robustListSize) refuse('EINVAL', 'the size of a robust list');
    thread.robustList = { head: args.word(0), length: Number(robustListSize) };
    return 0;
  },
  rseq,
};

export const threadPrctls: SystemCallOptions = new Map<number, SystemCall>([
  [
    PR_SET_PDEATHSIG,
    ({ thread }, args) => {
      if (args.word(1) > 64n) refuse('EINVAL', 'no signal');
      thread.parentDeathSignal = args.int(1);
      return 0;
    },
  ],
  [
    PR_GET_PDEATHSIG,
    ({ process, thread }, args) => {
      process.user.putInt(args.word(1), thread.parentDeathSignal);
      return 0;
    },
  ],
  [
    PR_SET_NAME,
    ({ process, thread }, args) => {
      // Up to a NUL, or as much as fits: the rest is not looked at.
      const comm = new Uint8Array(commSize);
      for (let index = 0; index < commSize - 1; index++) {
        const [byte = 0] = process.user.read(args.word(1) + BigInt(index), 1);
        if (byte === 0) break;
        comm[index] = byte;
      }
      thread.comm = comm;
      return 0;
    },
  ],
  [
    PR_GET_NAME,
    ({ process, thread }, args) => {
      process.user.write(args.word(1), thread.comm);
      return 0;
    },
  ],
  [
    PR_SET_TIMERSLACK,
    ({ thread }, args) => {
      const realtime = [1, 2].includes(thread.scheduling.policy);
      if (!realtime) thread.timerSlack = args.word(1) === 0n ? 50_000n : args.word(1);
      return 0;
    },
  ],
  [PR_GET_TIMERSLACK, ({ thread }) => thread.timerSlack],
  [
    PR_SET_NO_NEW_PRIVS,
    ({ thread }, args) => {
      const rest = [2, 3, 4].map((index) => args.word(index));
      if (args.word(1) !== 1n || rest.some((word) => word !== 0n)) refuse('EINVAL', 'only 1');
      thread.noNewPrivs = true;
      return 0;
    },
  ],
  [PR_GET_NO_NEW_PRIVS, ({ thread }) => (thread.noNewPrivs ? 1 : 0)],
  [
    PR_GET_TID_ADDRESS,
    ({ process, thread }, args) => {
      process.user.put(args.word(1), 8, (view) => {
        view.setBigUint64(0, thread.clearChildTid, true);
      });
      return 0;
    },
  ],
]);

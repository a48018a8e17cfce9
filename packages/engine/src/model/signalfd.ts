import type { FileStat } from '../file-stat.ts';
import { anonymousInode, anonymousStat } from './eventfd.ts';
import type { FileObject } from './open-file.ts';
import { blockable } from './signals.ts';
import { refuse, Unmodelled } from './refuse.ts';
import type { SystemCalls } from './system-call.ts';

const O_RDWR = 2;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
const setSize = 8n;

/** A receiver of signals, signalfd(2). */
class SignalFile implements FileObject {
  readonly #set: bigint;

  constructor(set: bigint) {
    this.#set = set;
  }

  link(): string {
    return 'anon_inode:[signalfd]';
  }

  stat(): FileStat {
    return anonymousStat(anonymousInode);
  }

  lines(): string {
    return `sigmask:\t${this.#set.toString(16).padStart(16, '0')}\n`;
  }

  /** What is pending is seen by whoever asks, which nobody here does. */
  poll(): number {
    return 0;
  }
}

export const signalFileCalls: SystemCalls = {
  signalfd4: ({ process }, args) => {
    if (args.int(0) !== -1) throw new Unmodelled('signalfd4(2) of one that is there');
    const flags = args.int(3);
    if ((flags & ~(O_NONBLOCK | O_CLOEXEC)) !== 0) refuse('EINVAL', `flags ${flags}`);
    if (args.word(2) !== setSize) refuse('EINVAL', 'the size of a signal set');
    const set = blockable(process.user.view(args.word(1), 8).getBigUint64(0, true));
    const status = O_RDWR | (flags & O_NONBLOCK);
    return process.open(new SignalFile(set), status, (flags & O_CLOEXEC) !== 0);
  },
};

import type { Answer, Call, Frozen, Task, Thread } from '@ckpt/engine';
import { CkptError } from '@ckpt/format';
import { closeSync, openSync } from 'node:fs';
import { spawnStub } from './run-stub.ts';
import { failure, trySyscall } from './syscall.ts';

/** The deputy lies where no program does by default. */
const stubBase = 0x10000n;
const SIGKILL = 9;
const SIGTERM = 15;
/** All signals but SIGURG, with which the executor tells that it ended, and SIGTERM. */
const mask = ~((1n << 22n) | (1n << 14n));
/** prctl(2) */
const PR_SET_PDEATHSIG = 1;
/** The pidfd of the process that it cares for. */
const target = 3;
const deadlineMs = 5000;

/** What it needs of itself, standing still. */
interface Still extends Pick<Frozen, 'kill'> {
  readonly tasks: readonly [Task, ...Task[]];
  /** Makes calls which are made to their end, even if whoever asks is killed. */
  askWhole(thread: Thread, calls: readonly Call[]): readonly Answer[];
}

type Freeze = (pid: number, deadlineMs: number) => Still;

function start(pidfd: number): number {
  const nothing = openSync('/dev/null', 'r+');
  try {
    const standard = [0, 1, 2].map((fd) => [nothing, fd] as const);
    return spawnStub(stubBase, [...standard, [pidfd, target]], mask);
  } finally {
    closeSync(nothing);
  }
}

/**
 * A process of our own that makes calls which must be made to their end once they were begun, even
 * if this process is killed meanwhile: the deputy is not, and ends only behind them.
 */
export class Deputy {
  readonly #frozen: Still;
  /** Its duplicates of the target's descriptors. */
  readonly #duplicates = new Map<number, number>();

  /** @throws CkptError EPERM where ptrace(2) is forbidden. */
  constructor(pidfd: number, freeze: Freeze) {
    const pid = start(pidfd);
    try {
      this.#frozen = freeze(pid, deadlineMs);
    } catch (error) {
      trySyscall('kill', pid, SIGKILL);
      trySyscall('wait4', pid, 0, 0, 0);
      throw error;
    }
    // SIGKILL would end it in the middle; SIGTERM waits, blocked, for the executor's end.
    this.all([{ call: 'prctl', args: [PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0] }]);
  }

  /** Makes calls one after the other, whatever happens to us. */
  all(calls: readonly Call[]): readonly Answer[] {
    const [task] = this.#frozen.tasks;
    const [thread] = task.threads;
    if (thread === undefined) throw new CkptError('ESRCH', 'the deputy has ended');
    return this.#frozen.askWhole(thread, calls);
  }

  /** A call that must succeed. @throws CkptError with its errno. */
  must(call: string, args: Call['args'], what: string): number {
    const [answer] = this.all([{ call, args }]);
    const result = Number(answer?.result ?? -1n);
    if (result < 0) throw failure(-result, what);
    return result;
  }

  /** Its duplicate of a descriptor of the target. */
  duplicate(fd: number): number {
    const known = this.#duplicates.get(fd);
    if (known !== undefined) return known;
    const own = this.must('pidfd_getfd', [target, fd, 0], `duplicating descriptor ${fd}`);
    this.#duplicates.set(fd, own);
    return own;
  }

  /** Kills the target, when it comes to it in a row of calls. */
  static readonly kill: Call = { call: 'pidfd_send_signal', args: [target, SIGKILL, 0, 0] };

  end(): void {
    this.#frozen.kill();
  }
}

import type { Answer, Frozen, Task, Thread } from '@ckpt/engine';
import { CkptError } from '@ckpt/format';
import { closeSync, openSync } from 'node:fs';
import type { RemoteCall } from './remote-table.ts';
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
/** A packet filter that is not to end before it does. */
const filter = 4;
const deadlineMs = 5000;
/** ptrace(2), wait(2) */
const [PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_SETOPTIONS] = [0x4206, 0x4207, 0x4200];
const __WALL = 0x40000000;

/** What it needs of itself, standing still. */
interface Still extends Pick<Frozen, 'kill'> {
  readonly tasks: readonly [Task, ...Task[]];
  /** Makes calls which are made to their end, even if whoever asks is killed after `armed`. */
  askWhole(thread: Thread, calls: readonly RemoteCall[], armed?: () => void): readonly Answer[];
}

type Freeze = (pid: number, deadlineMs: number) => Still;

function start(pidfd: number, filterFd: number | undefined): number {
  const nothing = openSync('/dev/null', 'r+');
  try {
    const standard = [0, 1, 2].map((fd) => [nothing, fd] as const);
    const kept = filterFd === undefined ? [] : [[filterFd, filter] as const];
    return spawnStub(stubBase, [...standard, [pidfd, target], ...kept], mask);
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

  /**
   * @param filterFd A socket to nf_tables, whose filters are to stay for as long as the deputy.
   * @throws CkptError EPERM where ptrace(2) is forbidden.
   */
  constructor(pidfd: number, filterFd: number | undefined, freeze: Freeze) {
    const pid = start(pidfd, filterFd);
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

  /**
   * Makes calls one after the other, whatever happens to us.
   * @param armed Called when that is certain, before the first of them.
   */
  all(calls: readonly RemoteCall[], armed?: () => void): readonly Answer[] {
    const [task] = this.#frozen.tasks;
    const [thread] = task.threads;
    if (thread === undefined) throw new CkptError('ESRCH', 'the deputy has ended');
    return this.#frozen.askWhole(thread, calls, armed);
  }

  /** A call that must succeed. @throws CkptError with its errno. */
  must(call: string, args: RemoteCall['args'], what: string): number {
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

  /**
   * Ends a row of calls if that thread of the target runs: its tracer, we, is gone. While somebody
   * traces it, or when it is killed, the first three are refused or wait for its end, and the last,
   * which takes a thread that stands for us, is refused.
   */
  static unlessItRuns(tid: number): readonly RemoteCall[] {
    return [
      { call: 'ptrace', args: [PTRACE_SEIZE, tid, 0, 0] },
      { call: 'ptrace', args: [PTRACE_INTERRUPT, tid, 0, 0] },
      { call: 'wait4', args: [tid, 0, __WALL, 0] },
      { call: 'ptrace', args: [PTRACE_SETOPTIONS, tid, 0, 0], endsAt0: true },
    ];
  }

  /** Kills the target, when it comes to it in a row of calls. */
  static readonly kill: RemoteCall = { call: 'pidfd_send_signal', args: [target, SIGKILL, 0, 0] };

  end(): void {
    this.#frozen.kill();
  }
}

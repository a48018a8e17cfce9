import { CkptError } from '@ckpt/format';
import { closeSync, readFileSync } from 'node:fs';
import { ProcDirectory } from './proc-directory.ts';
import { ended, nameOf, tracedAlready } from './refusals.ts';
import { failure, trySyscall } from './syscall.ts';
import {
  isGone,
  isKernelHelper,
  isKernelThread,
  parseStatFacts,
  parseStatusFacts,
} from './task-facts.ts';

const EINVAL = -22;
const ENOENT = -2;
const ESRCH = -3;

/**
 * One process and no other, even when its pid is used again: a pidfd, /proc/PID held open, and the
 * time when it was started.
 */
export class Identity {
  readonly pid: number;
  readonly pidfd: number;
  readonly proc: ProcDirectory;
  /** Clock ticks after boot. */
  readonly startTime: bigint;
  /**
   * Status of a main thread that has exited while others run on; undefined for one that lives.
   * Then {@link proc} is of another thread, `front`: what a zombie had is not seen any more.
   */
  readonly exitStatus: number | undefined;
  /** The thread through which the process is looked at. */
  readonly front: number;
  /** Of {@link front}, for its descriptors. */
  readonly filesFd: number;

  /**
   * @throws CkptError ESRCH for nothing or a zombie, EINVAL for a thread or the caller itself, EPERM
   * for a kernel thread or a process that is traced, EOPNOTSUPP for one whose main thread is gone
   * in a kernel that does not show its descriptors then.
   */
  constructor(pid: number) {
    if (!Number.isInteger(pid) || pid <= 0)
      throw new CkptError('EINVAL', `${pid} is no process id`);
    if (pid === process.pid) throw new CkptError('EINVAL', `process ${pid} cannot freeze itself`);
    this.pid = pid;
    this.pidfd = openPidfd(pid);
    let proc: ProcDirectory | undefined;
    try {
      proc = new ProcDirectory(pid);
      const { startTime, exited } = checkTraceable(pid, proc);
      this.startTime = startTime;
      this.exitStatus = exited;
      this.front = exited === undefined ? pid : livingThread(pid, proc);
      this.filesFd = exited === undefined ? this.pidfd : openThread(pid, this.front);
      if (exited !== undefined) {
        proc.close();
        proc = undefined;
        proc = new ProcDirectory(this.front);
      }
      this.proc = proc;
    } catch (error) {
      closeSync(this.pidfd);
      proc?.close();
      throw error;
    }
  }

  /** @throws CkptError ESRCH when the process has ended, or this pid is another's now. */
  confirm(): void {
    const gone = trySyscall('pidfd_send_signal', this.pidfd, 0, 0, 0) === ESRCH;
    const facts = parseStatFacts(this.proc.readText(`task/${this.pid}/stat`));
    const isDead = isGone(facts) && this.exitStatus === undefined;
    if (gone || isDead || facts.startTime !== this.startTime) throw ended(this.pid);
  }

  close(): void {
    closeSync(this.pidfd);
    if (this.filesFd !== this.pidfd) closeSync(this.filesFd);
    this.proc.close();
  }
}

/** @throws CkptError ESRCH */
function livingThread(pid: number, proc: ProcDirectory): number {
  const tids = proc.list('task').map(Number);
  const front = tids.find((tid) => {
    const text = tid === pid ? '' : proc.readText(`task/${tid}/stat`);
    if (text === '') return false;
    const facts = parseStatFacts(text);
    return !isGone(facts) && !isKernelHelper(facts);
  });
  if (front === undefined) throw ended(pid);
  return front;
}

/** pidfd_open(2), Linux 6.9: a thread, whichever it is. */
const PIDFD_THREAD = 0o200;

function openThread(pid: number, tid: number): number {
  const pidfd = trySyscall('pidfd_open', tid, PIDFD_THREAD);
  if (pidfd >= 0) return pidfd;
  if (pidfd === ESRCH) throw ended(pid);
  const why = 'before Linux 6.9 nobody can look at its descriptors then';
  const remedy = 'let it wait for the others (pthread_join(3))';
  throw new CkptError(
    'EOPNOTSUPP',
    `the main thread of process ${nameOf(pid)} has ended while others run, and ${why}: ${remedy}`,
  );
}

function openPidfd(pid: number): number {
  const pidfd = trySyscall('pidfd_open', pid, 0);
  if (pidfd >= 0) return pidfd;
  if (pidfd === ESRCH) throw new CkptError('ESRCH', `there is no process ${pid}`);
  if (pidfd !== EINVAL && pidfd !== ENOENT) throw failure(-pidfd, `opening process ${pid}`);
  const proc = new ProcDirectory(pid);
  try {
    throw threadOf(pid, parseStatusFacts(proc.readText('status')).tgid);
  } finally {
    proc.close();
  }
}

/** Pid of the process that has this thread; undefined where there is none. */
export function leaderOf(tid: number): number | undefined {
  try {
    return parseStatusFacts(readFileSync(`/proc/${tid}/status`, 'latin1')).tgid;
  } catch {
    return undefined;
  }
}

function threadOf(tid: number, tgid: number): CkptError {
  return new CkptError('EINVAL', `${tid} is a thread of process ${nameOf(tgid)}: give that pid`);
}

/** Returns the start time, and with which status the main thread has exited while others run. */
function checkTraceable(
  pid: number,
  proc: ProcDirectory,
): { readonly startTime: bigint; readonly exited: number | undefined } {
  const text = proc.readText('stat');
  if (text === '') throw ended(pid);
  const facts = parseStatFacts(text);
  const status = parseStatusFacts(proc.readText('status'));
  const name = `process ${pid} (${facts.name})`;
  if (status.tgid !== pid) throw threadOf(pid, status.tgid);
  if (isKernelThread(facts)) throw new CkptError('EPERM', `${name} is a kernel thread`);
  const isLeaderless = isGone(facts) && status.threads > 1;
  if (isGone(facts) && !isLeaderless) {
    const parent = nameOf(facts.parent);
    throw new CkptError('ESRCH', `${name} has ended: only its parent ${parent} has not noticed`);
  }
  if (status.tracer !== 0) throw tracedAlready(pid, status.tracer);
  return { startTime: facts.startTime, exited: isLeaderless ? facts.exitCode : undefined };
}

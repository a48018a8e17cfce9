import { CkptError } from '@ckpt/format';
import { closeSync, readFileSync } from 'node:fs';
import { ProcDirectory } from './proc-directory.ts';
import { ended, nameOf, tracedAlready } from './refusals.ts';
import { failure, trySyscall } from './syscall.ts';
import { isGone, isKernelThread, parseStatFacts, parseStatusFacts } from './task-facts.ts';

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
   * @throws CkptError ESRCH for nothing or a zombie, EINVAL for a thread or the caller itself, EPERM
   * for a kernel thread or a process that is traced, EOPNOTSUPP for one whose main thread is gone.
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
      this.proc = proc;
      this.startTime = checkTraceable(pid, proc);
    } catch (error) {
      closeSync(this.pidfd);
      proc?.close();
      throw error;
    }
  }

  /** @throws CkptError ESRCH when the process has ended, or this pid is another's now. */
  confirm(): void {
    const gone = trySyscall('pidfd_send_signal', this.pidfd, 0, 0, 0) === ESRCH;
    const facts = parseStatFacts(this.proc.readText('stat'));
    if (gone || isGone(facts) || facts.startTime !== this.startTime) throw ended(this.pid);
  }

  close(): void {
    closeSync(this.pidfd);
    this.proc.close();
  }
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

/** Returns the start time. */
function checkTraceable(pid: number, proc: ProcDirectory): bigint {
  const text = proc.readText('stat');
  if (text === '') throw ended(pid);
  const facts = parseStatFacts(text);
  const status = parseStatusFacts(proc.readText('status'));
  const name = `process ${pid} (${facts.name})`;
  if (status.tgid !== pid) throw threadOf(pid, status.tgid);
  if (isKernelThread(facts)) throw new CkptError('EPERM', `${name} is a kernel thread`);
  if (isGone(facts) && status.threads > 1) {
    const remedy = 'let it wait for the others (pthread_join(3))';
    throw new CkptError(
      'EOPNOTSUPP',
      `the main thread of ${name} has ended while others run: ${remedy}`,
    );
  }
  if (isGone(facts)) {
    const parent = nameOf(facts.parent);
    throw new CkptError('ESRCH', `${name} has ended: only its parent ${parent} has not noticed`);
  }
  if (status.tracer !== 0) throw tracedAlready(pid, status.tracer);
  return facts.startTime;
}

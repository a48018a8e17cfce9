import { CHECKPOINT_MAGIC_TAIL, CKPT_CTX_CHECKPOINT, CkptError, Tail } from '@ckpt/format';
import { ckptWriteObj, type CkptFile } from '@ckpt/io';
import { ckptDebug } from '@ckpt/log';
import { encodeBaseImage, writeBaseImage } from './base-image.ts';
import { baseTask } from './base-task.ts';
import { collect } from './collect.ts';
import { createContext, withoutRestart, type Context } from './context.ts';
import type { CridCounter } from './crid.ts';
import type { Checkpointed } from './engine-api.ts';
import type { Frozen, Task } from './frozen.ts';
import type { Host } from './host.ts';
import { ObstacleError } from './obstacle-error.ts';
import type { Settled } from './options.ts';
import { OutputFile } from './output-file.ts';
import { writeProcess } from './process-checkpoint.ts';
import { proveRestart } from './proof.ts';
import { createRehearsal } from './rehearsal.ts';
import { report, reportNotes } from './report.ts';
import { onlyTask } from './tree.ts';
import { fillRecord, type OutputStream, type Unfinished } from './unfinished.ts';

/** A checkpoint under way. */
interface Work {
  readonly ctx: Context & OutputStream;
  readonly host: Host;
  readonly options: Settled;
  readonly rehearse: () => void;
  unfinished: Unfinished | undefined;
}

type Made = Omit<Checkpointed, 'crid' | 'revision' | 'pid' | 'length'>;

/** @throws CkptError EINVAL; nothing was looked at. */
export function checkFlags(flags: number): void {
  if (flags !== 0) throw new CkptError('EINVAL', `flags are ${flags}, and must be 0`);
}

/** @throws CkptError ESRCH for what no process can have. */
export function checkPid(pid: number, host: Host): number {
  const found = pid === 0 ? host.self : pid;
  if (found !== undefined && Number.isInteger(found) && found > 0) return found;
  throw new CkptError('ESRCH', `${pid} is no pid`);
}

/** Throws when a process stood still for too long. */
function clock(frozen: Frozen, deadlineMs: number): () => void {
  return () => {
    const ms = Math.round(frozen.frozenMs());
    if (ms <= deadlineMs) return;
    const sentence = `the process was frozen for ${ms} ms, longer than ${deadlineMs} ms`;
    throw new CkptError('ETIMEDOUT', `${sentence}: it goes on, without a checkpoint`);
  };
}

/** Freezes a process for as long as `use` takes, whatever happens there; then it may be killed. */
export function withFrozen<T>(
  host: Host,
  pid: number,
  { deadlineMs, onFreeze, progress }: Settled,
  use: (frozen: Frozen, task: Task) => T,
  kill = false,
): T {
  progress({ phase: 'freeze', done: 0, total: 0 });
  const frozen = host.freeze(pid, deadlineMs, kill);
  let result: T;
  try {
    onFreeze(() => deadlineMs - frozen.frozenMs());
    result = use(frozen, onlyTask(frozen.tasks));
    if (kill) {
      frozen.kill();
      return result;
    }
  } catch (error) {
    try {
      frozen.thaw();
    } catch {
      // The first error tells more.
    }
    throw error;
  }
  frozen.thaw();
  return result;
}

function finish({ ctx }: Work): void {
  ckptWriteObj(ctx, Tail.encode({ magic: CHECKPOINT_MAGIC_TAIL }));
}

/** Revision 3: the facts of a task, which may be any thread, are few: written when it goes on. */
function checkpointBase(work: Work, pid: number): Made {
  const { ctx, host, options } = work;
  const leader = host.leaderOf?.(pid) ?? pid;
  const [facts, frozenMs] = withFrozen(host, leader, options, (frozen, task) => {
    const made = baseTask(frozen, task, pid);
    return [made, frozen.frozenMs()] as const;
  });
  const system = host.system();
  work.unfinished = { at: 0, head: encodeBaseImage(system, facts).subarray(0, -Tail.size) };
  writeBaseImage(ctx, system, facts);
  ckptDebug(ctx, 'task %d\n', 0);
  return { pages: 0, frozenMs, notes: [] };
}

/** Revision 100. With `kill` the process dies when its image is safe, and has not run on. */
function checkpointProcess(work: Work, pid: number): Made {
  const { ctx, host, options } = work;
  work.rehearse();
  const { kill, verify, durable, progress, deadlineMs, settings, random } = options;
  const system = host.system();
  const { resources } = host;
  const use = (frozen: Frozen, task: Task): Made => {
    progress({ phase: 'collect', done: 0, total: 0 });
    const ground = { frozen, system, task, resources, options: settings };
    const collected = collect(ground);
    if (collected.obstacles.length > 0) throw new ObstacleError(collected.obstacles);
    const begin = (unfinished: Unfinished): void => {
      work.unfinished = unfinished;
    };
    let proven: readonly string[] = [];
    const prove = (metadata: Uint8Array): void => {
      if (verify) proven = proveRestart(metadata, { host, system, task, options: settings });
    };
    const tick = clock(frozen, deadlineMs);
    writeProcess(ctx, { ...ground, uuid: random(), tick, progress, begin, prove }, collected);
    if (kill) {
      finish(work);
      durable();
    }
    const notes = [...new Set([...collected.notes, ...proven])];
    return { pages: collected.store.pages, frozenMs: frozen.frozenMs(), notes };
  };
  const made = withFrozen(host, pid, options, use, kill);
  if (!kill) finish(work);
  return made;
}

/** Says what went wrong, in the log and, where that can still be, in the image. */
function fail(work: Work, error: unknown): unknown {
  if (!(error instanceof CkptError)) return error;
  const mapped = withoutRestart(error);
  report(work.ctx, mapped, fillRecord(work.ctx, work.unfinished));
  return mapped;
}

/** Checkpoints for one engine. */
export function createCheckpoint(host: Host, options: Settled, crids: CridCounter) {
  const rehearse = createRehearsal(host, options);
  return (pid: number, image: CkptFile, flags = 0, logFile?: CkptFile): Checkpointed => {
    checkFlags(flags);
    const asked = { file: image, logFile, rootPid: pid, kflags: CKPT_CTX_CHECKPOINT };
    const plain = createContext({ ...asked, ...options.log }, 'write');
    const ctx = Object.assign(plain, { file: new OutputFile(image) });
    const work: Work = { ctx, host, options, rehearse, unfinished: undefined };
    const { revision, kill, verify } = options;
    try {
      const target = checkPid(pid, host);
      if (revision === 3 && kill) {
        const why = 'killing the process would lose it';
        throw new CkptError('EINVAL', `an image of revision 3 holds no program: ${why}`);
      }
      if (revision === 3 && verify) {
        const why = 'there is nothing to prove';
        throw new CkptError('EINVAL', `an image of revision 3 holds no program: ${why}`);
      }
      const made = (revision === 3 ? checkpointBase : checkpointProcess)(work, target);
      reportNotes(ctx, made.notes);
      ctx.crid = crids.next();
      return { ...made, crid: ctx.crid, revision, pid: target, length: ctx.file.length };
    } catch (error) {
      throw fail(work, error);
    }
  };
}

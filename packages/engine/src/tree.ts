import { CkptError, Tree, TreeThread } from '@ckpt/format';
import type { Frozen, Task } from './frozen.ts';
import { limits } from './limits.ts';
import { readStat } from './proc-stat.ts';
import type { Document, ImageRecord } from './resource.ts';

/** PID_MAX_LIMIT of linux/threads.h. */
const pidMax = 4 << 20;

/** Fields of /proc/PID/stat, proc_pid_stat(5). */
const field = { ppid: 4, pgid: 5, sid: 6 } as const;

/** All threads of the tree, each task's leader first. */
export function treeOf(frozen: Frozen, tasks: readonly Task[]): readonly TreeThread[] {
  return tasks.flatMap((task) => {
    const stat = readStat(frozen, task);
    const number = (at: number): number => Number(stat.field(at));
    const leader = task.exited === undefined ? [] : [{ tid: task.pid }];
    return [...leader, ...task.threads].map(({ tid }) => ({
      tid,
      tgid: task.pid,
      ppid: number(field.ppid),
      pgid: number(field.pgid),
      sid: number(field.sid),
      creator: 0,
      depth: 0,
      flags: 0,
    }));
  });
}

export interface ImageTree {
  readonly record: ImageRecord<Tree>;
  readonly leader: TreeThread;
  /** The leader among them. */
  readonly threads: readonly TreeThread[];
}

/**
 * The tree of an image: one task.
 * @throws CkptError EINVAL for threads that cannot be; ENOSYS for more than one task; E2BIG.
 */
export function readTree(document: Document): ImageTree {
  const record = document.one(Tree);
  const { tasks, threads: count } = record.value;
  if (tasks > 1) throw record.invalid('tasks', `an image of ${tasks} processes`, 'ENOSYS');
  if (count > limits.threads) {
    throw record.invalid('threads', `${count} threads, at most ${limits.threads}`, 'E2BIG');
  }
  const threads = record.arrayOf(TreeThread);
  const [leader] = threads;
  if (tasks !== 1 || leader === undefined || threads.length !== count) {
    throw record.invalid(
      'threads',
      `${count} threads of ${tasks} tasks, ${threads.length} are there`,
    );
  }
  if (leader.tid !== leader.tgid) {
    throw record.invalid('tid', `thread ${leader.tid} is first, not the leader ${leader.tgid}`);
  }
  checkThreads(record, leader, threads);
  return { record, leader, threads };
}

function checkThreads(
  record: ImageRecord,
  leader: TreeThread,
  threads: readonly TreeThread[],
): void {
  const seen = new Set<number>();
  for (const { tid, tgid, depth } of threads) {
    if (tid < 1 || tid > pidMax) throw record.invalid('tid', `${tid} is no thread id`);
    if (seen.has(tid)) throw record.invalid('tid', `thread ${tid} is there twice`);
    if (tgid !== leader.tgid) {
      throw record.invalid('tgid', `thread ${tid} is of task ${tgid}, not ${leader.tgid}`);
    }
    if (depth !== 0)
      throw record.invalid('depth', `thread ${tid} is ${depth} namespaces deep`, 'ENOSYS');
    seen.add(tid);
  }
}

/** Refuses what a revision 100 image cannot hold yet. */
export function onlyTask(tasks: readonly Task[]): Task {
  const [task, second] = tasks;
  if (task !== undefined && second === undefined) return task;
  throw new CkptError('ENOSYS', `${tasks.length} processes, one can be checkpointed`);
}

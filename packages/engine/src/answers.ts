import { CkptError } from '@ckpt/format';
import type { Answer, Call } from './call.ts';
import type { Frozen, Task, Thread } from './frozen.ts';
import type { Resource } from './resource.ts';

/** What threads said, by kind and thread. */
export interface Answers {
  /** Of the task, or of one thread. */
  of(kind: string, thread?: Thread): readonly Answer[];
}

interface Question {
  readonly kind: string;
  readonly tid: number | undefined;
  readonly calls: readonly Call[];
}

const keyOf = (kind: string, tid: number | undefined): string => `${kind}\0${tid ?? 'task'}`;

/** What one thread is asked: of the task too, if it is the leader. */
function questions(resources: readonly Resource[], tid: number, isLeader: boolean): Question[] {
  const task = (isLeader ? resources : []).map(({ kind, asksTask = [] }) => ({
    ...{ kind, tid: undefined, calls: asksTask },
  }));
  const thread = resources.map(({ kind, asksThread = [] }) => ({ kind, tid, calls: asksThread }));
  return [...task, ...thread];
}

/**
 * Asks every thread all that any kind wants to know of it, in one table each.
 * @throws CkptError as the host: EPERM where a filter forbids a call, ETIMEDOUT, ESRCH.
 */
export function askAll(frozen: Frozen, task: Task, resources: readonly Resource[]): Answers {
  const said = new Map<string, readonly Answer[]>();
  for (const [index, thread] of task.threads.entries()) {
    const asked = questions(resources, thread.tid, index === 0);
    const calls = asked.flatMap((question) => question.calls);
    const answers = calls.length === 0 ? [] : frozen.ask(task, thread, calls);
    if (answers.length !== calls.length) {
      throw new CkptError(
        'EIO',
        `thread ${thread.tid} answered ${answers.length} of ${calls.length}`,
      );
    }
    let at = 0;
    for (const { kind, tid, calls: own } of asked) {
      said.set(keyOf(kind, tid), answers.slice(at, at + own.length));
      at += own.length;
    }
  }
  return { of: (kind, thread) => said.get(keyOf(kind, thread?.tid)) ?? [] };
}

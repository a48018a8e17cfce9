import { CkptError } from '@ckpt/format';
import type { Answer, Call } from '../call.ts';
import type { FileHandle, FileStat } from '../file-stat.ts';
import type { Frozen, Task, Thread } from '../frozen.ts';
import type { Host } from '../host.ts';
import type { System } from '../system.ts';
import { askKey, handleKey, rangeKey, repairKey, watchKey, type RecordedFacts } from './facts.ts';
import { FactsDraft } from './facts-draft.ts';

/** A frozen process that is listened to. */
export interface Recording {
  /** Behaves as the one that was given. */
  readonly frozen: Frozen;
  /** What was told so far. */
  facts(): RecordedFacts;
}

function answers(
  draft: FactsDraft,
  into: 'ask' | 'probe',
  of: number,
  calls: readonly Call[],
  make: () => readonly Answer[],
): readonly Answer[] {
  const given = draft.try(`${into} ${of}`, make);
  for (const [index, call] of calls.entries()) {
    const answer = given[index];
    if (answer !== undefined) draft[into].set(askKey(of, call), answer);
  }
  return given;
}

/** A file of the machine, and the directories that lead to it: a restart makes files there. */
function noteFile(
  draft: FactsDraft,
  path: string,
  stat: FileStat | undefined,
  look: (path: string) => FileStat | undefined,
): void {
  if (!path.startsWith('root/')) return;
  draft.files.set(path.slice(4), stat);
  for (let at = path.lastIndexOf('/'); at >= 4; at = path.lastIndexOf('/', at - 1)) {
    const directory = path.slice(4, Math.max(at, 5));
    if (draft.files.has(directory)) break;
    try {
      draft.files.set(directory, look(`root${directory}`));
    } catch (error) {
      // Nobody has asked for it: what is not known is not needed.
      if (!(error instanceof CkptError)) throw error;
    }
  }
}

/** Those that a host may lack. */
function optional(frozen: Frozen, draft: FactsDraft): Partial<Frozen> {
  const compareFiles = frozen.compareFiles?.bind(frozen);
  const watches = frozen.watches?.bind(frozen);
  const repair = frozen.repair?.bind(frozen);
  const unshared = frozen.unshared?.bind(frozen);
  const peekPipe = frozen.peekPipe?.bind(frozen);
  const pollFile = frozen.pollFile?.bind(frozen);
  const holders = frozen.holders?.bind(frozen);
  const holdings = frozen.holdings?.bind(frozen);
  const unixPeer = frozen.unixPeer?.bind(frozen);
  const extents = frozen.extents?.bind(frozen);
  const pathOf = frozen.pathOf?.bind(frozen);
  const copyRuns = frozen.copyRuns?.bind(frozen);
  return {
    ...(compareFiles && {
      compareFiles: (task: Task, a: number, b: number) => {
        const order = draft.try(`same ${a} ${b}`, () => compareFiles(task, a, b));
        draft.descriptions.note(a, b, order === 0);
        return order;
      },
    }),
    ...(unshared && {
      unshared: (task: Task, thread: Thread) => {
        const key = String(thread.tid);
        const own = draft.try(`unshared ${key}`, () => unshared(task, thread));
        return kept(draft.unshared, key, own);
      },
    }),
    ...(repair && {
      repair: (task: Task, fd: number, calls: readonly Call[]) => {
        const answers = draft.try(`repair ${fd}`, () => repair(task, fd, calls));
        for (const [index, answer] of answers.entries()) {
          const call = calls[index];
          if (call !== undefined) draft.probe.set(repairKey(fd, index, call), answer);
        }
        return answers;
      },
    }),
    ...(watches && {
      watches: (task: Task, ...of: [number, number, number, number]) => {
        const is = draft.try(`watches ${watchKey(...of)}`, () => watches(task, ...of));
        draft.watches.set(watchKey(...of), is);
        return is;
      },
    }),
    ...(peekPipe && {
      peekPipe: (task: Task, fd: number, length: number) => {
        const bytes = draft.try(`peek ${fd}`, () => peekPipe(task, fd, length));
        draft.pipes.set(String(fd), bytes.slice());
        return bytes;
      },
    }),
    ...(pollFile && {
      pollFile: (task: Task, fd: number) => {
        const events = draft.try(`poll ${fd}`, () => pollFile(task, fd));
        draft.polls.set(String(fd), events);
        return events;
      },
    }),
    ...(holders && {
      holders: (task: Task, link: string) => {
        const names = draft.try(`holders ${link}`, () => holders(task, link));
        draft.holders.set(link, names);
        return names;
      },
    }),
    ...(holdings && {
      holdings: (task: Task, link: string) => {
        const all = draft.try(`holdings ${link}`, () => holdings(task, link));
        if (all.length > 0) draft.holdings.set(link, all);
        return all;
      },
    }),
    ...(unixPeer && {
      unixPeer: (task: Task, inode: bigint) => {
        const peer = draft.try(`peer ${inode.toString()}`, () => unixPeer(task, inode));
        draft.peers.set(inode.toString(), peer);
        return peer;
      },
    }),
    ...(extents && {
      extents: (task: Task, path: string) =>
        kept(
          draft.extents,
          path,
          draft.try(`extents ${path}`, () => extents(task, path)),
        ),
    }),
    ...(pathOf && {
      pathOf: (task: Task, handle: FileHandle) => {
        const key = handleKey(handle);
        return kept(
          draft.handles,
          key,
          draft.try(`handle ${key}`, () => pathOf(task, handle)),
        );
      },
    }),
    ...(copyRuns && {
      copyRuns: (...[task, runs, to]: Parameters<typeof copyRuns>) => {
        copyRuns(task, runs, to);
        for (const { address, length } of runs) notePages(frozen, draft, task, address, length);
      },
    }),
  };
}

/** Digests are of what is read once more: how bytes get to a file is the host's own affair. */
function notePages(
  frozen: Frozen,
  draft: FactsDraft,
  task: Task,
  address: bigint,
  length: number,
): void {
  draft.pages(address, length, (at, size) => frozen.memory(task, at, size));
}

/** Keeps what is passed on. */
function kept<T>(map: Map<string, T>, key: string, value: T): T {
  map.set(key, value);
  return value;
}

/** Listens to a frozen process of one task. */
export function record(frozen: Frozen, system: System): Recording {
  const draft = new FactsDraft();
  const proxy: Frozen = {
    tasks: frozen.tasks,
    read: (task, path) =>
      kept(
        draft.read,
        path,
        draft.try(`read ${path}`, () => frozen.read(task, path)),
      ),
    list: (task, path) =>
      kept(
        draft.list,
        path,
        draft.try(`list ${path}`, () => frozen.list(task, path)),
      ),
    link: (task, path) =>
      kept(
        draft.link,
        path,
        draft.try(`link ${path}`, () => frozen.link(task, path)),
      ),
    stat: (task, path) => {
      const stat = draft.try(`stat ${path}`, () => frozen.stat(task, path));
      noteFile(draft, path, stat, (other) => frozen.stat(task, other));
      return kept(draft.stat, path, stat);
    },
    thread: (task, thread: Thread) =>
      kept(draft.threads, String(thread.tid), frozen.thread(task, thread)),
    pendingShared: (task) => (draft.pendingShared = frozen.pendingShared(task)),
    ask: (task, thread, calls) =>
      answers(draft, 'ask', thread.tid, calls, () => frozen.ask(task, thread, calls)),
    probe: (task, fd, calls) =>
      answers(draft, 'probe', fd, calls, () => frozen.probe(task, fd, calls)),
    sameFile: (task, a, b) => {
      const same = draft.try(`same ${a} ${b}`, () => frozen.sameFile(task, a, b));
      draft.descriptions.note(a, b, same);
      return same;
    },
    pages: (task, start, end) => {
      const runs = frozen.pages(task, start, end);
      draft.scan(start, end, runs);
      return runs;
    },
    memory: (task, address, length) => {
      const key = `memory ${rangeKey(address, length)}`;
      const bytes = draft.try(key, () => frozen.memory(task, address, length));
      draft.memory(address, bytes);
      return bytes;
    },
    copy: (task, address, length, to) => {
      frozen.copy(task, address, length, to);
      notePages(frozen, draft, task, address, length);
    },
    contents: (task, path, offset, length) => {
      const bytes = frozen.contents(task, path, offset, length);
      draft.content(path, offset, bytes);
      return bytes;
    },
    ...optional(frozen, draft),
    frozenMs: frozen.frozenMs,
    thaw: () => {
      frozen.thaw();
    },
    kill: () => {
      frozen.kill();
    },
  };
  return { frozen: proxy, facts: () => draft.finish(system, frozen.tasks) };
}

/** A host whose processes are listened to while they are frozen: the facts of the last one. */
export function recordHost(host: Host): { readonly host: Host; facts(): RecordedFacts } {
  let last: Recording | undefined;
  const listening: Host = {
    ...(host.self === undefined ? {} : { self: host.self }),
    resources: host.resources,
    system: () => host.system(),
    freeze: (pid, deadlineMs) => {
      last = record(host.freeze(pid, deadlineMs), host.system());
      return last.frozen;
    },
    run: (plan, image, pages) => host.run(plan, image, pages),
    stat: (path) => host.stat(path),
    holder: (pid) => host.holder(pid),
  };
  return {
    host: listening,
    facts: () => {
      if (last === undefined) throw new Error('nothing was frozen');
      return last.facts();
    },
  };
}

import { CkptError } from '@ckpt/format';
import { ckptKwrite } from '@ckpt/io';
import type { Frozen, Task } from '../frozen.ts';
import { askKey, handleKey, repairKey, watchKey, type Facts, type RecordedFacts } from './facts.ts';
import { FactsMemory } from './facts-memory.ts';

/** Bytes that one write is offered. */
const chunkSize = 1 << 18;

export interface ReplayOptions {
  /** Is asked before each call of a frozen process: what it returns is thrown instead. */
  readonly fault?: ((method: string, key: string) => CkptError | undefined) | undefined;
  /** Milliseconds since the freeze; 0 unless told. */
  readonly frozenMs?: (() => number) | undefined;
  readonly onThaw?: () => void;
  readonly onKill?: () => void;
}

function looker(facts: RecordedFacts, { fault }: ReplayOptions) {
  /** Fails where the recorded call failed, or where a test wants it to. */
  const check = (method: string, key: string): void => {
    const error = fault?.(method, key);
    if (error !== undefined) throw error;
    const name = key === '' ? method : `${method} ${key}`;
    const failure = Object.hasOwn(facts.failures, name) ? facts.failures[name] : undefined;
    if (failure !== undefined) throw new CkptError(failure.code, failure.sentence);
  };
  const look = <T>(method: string, table: Facts<T>, key: string): T => {
    check(method, key);
    if (!Object.hasOwn(table, key)) {
      throw new CkptError('ENODATA', `${method} ${key} was not recorded`);
    }
    return table[key] as T;
  };
  return { check, look };
}

function contentsOf(facts: RecordedFacts, path: string, offset: bigint, length: number) {
  const end = offset + BigInt(length);
  const found = facts.contents.find(
    (each) =>
      each.path === path &&
      each.offset <= offset &&
      (each.offset + BigInt(each.bytes.length) >= end || each.bytes.length < length),
  );
  if (found === undefined) {
    throw new CkptError('ENODATA', `contents ${path} ${offset.toString()} was not recorded`);
  }
  const start = Number(offset - found.offset);
  return found.bytes.slice(start, start + length);
}

function descriptorCalls(
  facts: RecordedFacts,
  { check, look }: ReturnType<typeof looker>,
): Pick<
  Frozen,
  | 'probe'
  | 'repair'
  | 'sameFile'
  | 'compareFiles'
  | 'watches'
  | 'peekPipe'
  | 'pollFile'
  | 'holders'
  | 'holdings'
> {
  const word = (fd: number): number => look('same', facts.descriptions, String(fd));
  return {
    probe: (_task, fd, calls) => {
      check('probe', String(fd));
      return calls.map((call) => look('probe', facts.probe, askKey(fd, call)));
    },
    repair: (_task, fd, calls) => {
      check('repair', String(fd));
      return calls.map((call, index) => look('probe', facts.probe, repairKey(fd, index, call)));
    },
    sameFile: (_task, a, b) => word(a) === word(b),
    compareFiles: (_task, a, b) => word(a) - word(b),
    watches: (_task, ...of) => look('watches', facts.watches, watchKey(...of)),
    peekPipe: (_task, fd, length) => look('peek', facts.pipes, String(fd)).slice(0, length),
    pollFile: (_task, fd) => look('poll', facts.polls, String(fd)),
    holders: (_task, link) => look('holders', facts.holders, link),
    holdings: (_task, link) => {
      check('holdings', link);
      return facts.holdings[link] ?? [];
    },
  };
}

/**
 * A frozen process that tells what was recorded.
 * @throws CkptError ENODATA from each call whose answer was not recorded, by name.
 */
export function replay(facts: RecordedFacts, options: ReplayOptions = {}): Frozen {
  const looked = looker(facts, options);
  const { check, look } = looked;
  const memory = new FactsMemory(facts);
  const { pid, startTime, stopped, tids } = facts.task;
  const task: Task = { pid, startTime, stopped, threads: tids.map((tid) => ({ tid })) };
  const copy: Frozen['copy'] = (_task, address, length, to) => {
    check('copy', address.toString(16));
    for (let done = 0; done < length; done += chunkSize) {
      const bytes = memory.read(address + BigInt(done), Math.min(chunkSize, length - done));
      ckptKwrite({ file: to, total: 0 }, bytes);
    }
  };
  return {
    tasks: [task],
    read: (_task, path) => look('read', facts.read, path),
    list: (_task, path) => look('list', facts.list, path),
    link: (_task, path) => look('link', facts.link, path),
    stat: (_task, path) => look('stat', facts.stat, path),
    thread: (_task, { tid }) => look('thread', facts.threads, String(tid)),
    pendingShared: () => {
      check('pendingShared', '');
      return facts.pendingShared;
    },
    ask: (_task, { tid }, calls) => {
      check('ask', String(tid));
      return calls.map((call) => look('ask', facts.ask, askKey(tid, call)));
    },
    ...descriptorCalls(facts, looked),
    unshared: (_task, { tid }) => look('unshared', facts.unshared, String(tid)),
    pathOf: (_task, handle) => look('handle', facts.handles, handleKey(handle)),
    unixPeer: (_task, inode) => look('peer', facts.peers, inode.toString()),
    extents: (_task, path) => look('extents', facts.extents, path),
    pages: (_task, start, end) => {
      check('pages', `${start.toString(16)}-${end.toString(16)}`);
      return memory.scan(start, end);
    },
    memory: (_task, address, length) => {
      check('memory', `${address.toString(16)} ${length}`);
      return memory.read(address, length);
    },
    copy,
    contents: (_task, path, offset, length) => {
      check('contents', path);
      return contentsOf(facts, path, offset, length);
    },
    frozenMs: options.frozenMs ?? (() => 0),
    thaw: () => options.onThaw?.(),
    kill: () => options.onKill?.(),
  };
}

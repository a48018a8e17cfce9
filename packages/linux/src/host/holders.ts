import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import type { Holding } from '@ckpt/engine';
import { parseFdInfo } from '../procfs/fdinfo.ts';
import { parseStatFacts, parseStatusFacts } from './task-facts.ts';

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function processes(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

/** Who is a task of that number; "ended" for one that holds it no more than for a moment. */
function findTask(pid: number): string | undefined {
  // A thread has its own directory too, though no list shows it.
  const own = read(`/proc/${pid}/stat`);
  if (own === '') return undefined;
  const { tgid } = parseStatusFacts(read(`/proc/${pid}/status`));
  const { name, state } = parseStatFacts(own);
  if (state === 'Z' || state === 'X') return 'ended';
  return tgid === pid || tgid === 0 ? `${pid} (${name})` : `a thread (${name}) of process ${tgid}`;
}

/** Adds whose process groups and sessions have these numbers: one walk through all processes. */
function findGroups(pids: ReadonlySet<number>, found: Map<number, string>): void {
  const add = (pid: number, holder: string): void => {
    if (pids.has(pid) && !found.has(pid)) found.set(pid, holder);
  };
  for (const member of processes()) {
    const text = read(`/proc/${member}/stat`);
    if (text === '') continue;
    const { name, group, session } = parseStatFacts(text);
    add(group, `the process group of ${member} (${name})`);
    add(session, `the session of ${member} (${name})`);
  }
}

/**
 * Who has these pids now: as process, thread, process group or session; those that are free are
 * not in the answer. What has ended holds a pid no more than for a moment: a restart waits for it
 * to go.
 */
export function findPidHolders(pids: readonly number[]): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  const left = new Set<number>();
  for (const pid of pids) {
    const task = findTask(pid);
    if (task === undefined) left.add(pid);
    else if (task !== 'ended') found.set(pid, task);
  }
  if (left.size > 0) findGroups(left, found);
  return found;
}

/** The same of one pid; undefined when it is free. */
export function findHolder(pid: number): string | undefined {
  return findPidHolders([pid]).get(pid);
}

/** What is known of a holder from its list of descriptors. */
type Held = Omit<Holding, 'flags'>;

/** When a process was started; undefined when there is none. */
export function startTimeOf(pid: number): bigint | undefined {
  const text = read(`/proc/${pid}/stat`);
  return text === '' ? undefined : parseStatFacts(text).startTime;
}

/**
 * Who else holds the pipes, sockets and FIFOs of a process. The walk through all of /proc is made
 * before the process is frozen; only what it has opened between then and the freeze needs another.
 */
export class Holders {
  readonly #pid: number;
  readonly #own: ReadonlySet<string>;
  /** Undefined where there is nothing to look for. */
  readonly #before: ReadonlyMap<string, readonly Held[]> | undefined;
  #after: ReadonlyMap<string, readonly Held[]> | undefined;

  constructor(pid: number) {
    this.#pid = pid;
    const own = new Set(sharedLinks(pid, (link, fd) => !isPath(link) || isFifo(pid, fd)).keys());
    this.#own = own;
    this.#before = own.size === 0 ? undefined : findHolders(pid, (link) => own.has(link));
  }

  #find(link: string): readonly Held[] {
    if (this.#own.has(link)) return this.#before?.get(link) ?? [];
    this.#after ??= findHolders(this.#pid, () => true);
    return this.#after.get(link) ?? [];
  }

  /** "12 (tail)", each with a descriptor of that link. */
  of(link: string): readonly string[] {
    return [...new Set(this.#find(link).map(({ pid, name }) => `${pid} (${name})`))];
  }

  /** Their descriptors that lead there even now. */
  holdings(link: string): readonly Holding[] {
    return this.#find(link).flatMap((held) => {
      const path = `/proc/${held.pid}/fdinfo/${held.fd}`;
      const flags = parseFdInfo(Buffer.from(read(path), 'latin1'))?.flags;
      const isSame = targetOf(`/proc/${held.pid}/fd/${held.fd}`) === link;
      return flags === undefined || !isSame ? [] : [{ ...held, flags }];
    });
  }
}

/** Processes but `except` and this one, by those links of what they hold that are wanted. */
function findHolders(
  except: number,
  wanted: (link: string) => boolean,
): ReadonlyMap<string, readonly Held[]> {
  const found = new Map<string, Held[]>();
  for (const pid of processes()) {
    if (pid === except || pid === process.pid) continue;
    const links = sharedLinks(pid, wanted);
    if (links.size === 0) continue;
    const { name, startTime } = parseStatFacts(read(`/proc/${pid}/stat`));
    for (const [link, numbers] of links) {
      const held = numbers.map((fd): Held => ({ pid, startTime, name, fd }));
      const known = found.get(link);
      if (known === undefined) found.set(link, held);
      else known.push(...held);
    }
  }
  return found;
}

/** Links of what several processes can have. */
const shared = /^(pipe:|socket:|\/(?!dev\/))/;

function targetOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

/** FIFOs are known by their paths, as all files are. */
const isPath = (link: string): boolean => link.startsWith('/');

function isFifo(pid: number, fd: number): boolean {
  try {
    return statSync(`/proc/${pid}/fd/${fd}`).isFIFO();
  } catch {
    // It was closed, or is out of reach.
    return false;
  }
}

/** What a process may share with others, if it is wanted: pipes, sockets, files by their paths. */
function sharedLinks(
  pid: number,
  wanted: (link: string, fd: number) => boolean,
): ReadonlyMap<string, readonly number[]> {
  let numbers: string[];
  try {
    numbers = readdirSync(`/proc/${pid}/fd`);
  } catch {
    return new Map();
  }
  const found = new Map<string, number[]>();
  for (const number of numbers) {
    const link = targetOf(`/proc/${pid}/fd/${number}`);
    if (!shared.test(link) || !wanted(link, Number(number))) continue;
    const known = found.get(link);
    if (known === undefined) found.set(link, [Number(number)]);
    else known.push(Number(number));
  }
  return found;
}

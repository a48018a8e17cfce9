import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
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

/**
 * Who has a pid now: as process, thread, process group or session; undefined when it is free. What
 * has ended holds it no more than for a moment: a restart waits for it to go.
 */
export function findHolder(pid: number): string | undefined {
  // A thread has its own directory too, though no list shows it.
  const own = read(`/proc/${pid}/stat`);
  if (own !== '') {
    const { tgid } = parseStatusFacts(read(`/proc/${pid}/status`));
    const { name, state } = parseStatFacts(own);
    if (state === 'Z' || state === 'X') return undefined;
    return tgid === pid || tgid === 0
      ? `${pid} (${name})`
      : `a thread (${name}) of process ${tgid}`;
  }
  for (const member of processes()) {
    const text = read(`/proc/${member}/stat`);
    if (text === '') continue;
    const { name, group, session } = parseStatFacts(text);
    if (group === pid) return `the process group of ${member} (${name})`;
    if (session === pid) return `the session of ${member} (${name})`;
  }
  return undefined;
}

/**
 * Who else holds the pipes, sockets and FIFOs of a process. The walk through all of /proc is made
 * before the process is frozen; only what it has opened between then and the freeze needs another.
 */
export class Holders {
  readonly #pid: number;
  readonly #own: ReadonlySet<string>;
  readonly #before: ReadonlyMap<string, readonly string[]>;
  #after: ReadonlyMap<string, readonly string[]> | undefined;

  constructor(pid: number) {
    this.#pid = pid;
    this.#own = sharedLinks(pid);
    this.#before = this.#own.size === 0 ? new Map<string, readonly string[]>() : findHolders(pid);
  }

  /** "12 (tail)", each with a descriptor of that link. */
  of(link: string): readonly string[] {
    if (this.#own.has(link)) return this.#before.get(link) ?? [];
    this.#after ??= findHolders(this.#pid);
    return this.#after.get(link) ?? [];
  }
}

/** Processes but `except` and this one, by the links of what they hold. */
function findHolders(except: number): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const pid of processes()) {
    if (pid === except || pid === process.pid) continue;
    const links = sharedLinks(pid);
    if (links.size === 0) continue;
    const name = `${pid} (${parseStatFacts(read(`/proc/${pid}/stat`)).name})`;
    for (const link of links) {
      const known = found.get(link);
      if (known === undefined) found.set(link, [name]);
      else known.push(name);
    }
  }
  return found;
}

/** What a process may share with others: pipes, sockets, FIFOs and files by their paths. */
function sharedLinks(pid: number): ReadonlySet<string> {
  let numbers: string[];
  try {
    numbers = readdirSync(`/proc/${pid}/fd`);
  } catch {
    return new Set();
  }
  const links = numbers.map((number) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${number}`);
    } catch {
      return '';
    }
  });
  return new Set(links.filter((link) => /^(pipe:|socket:|\/(?!dev\/))/.test(link)));
}

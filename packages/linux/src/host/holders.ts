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

/** Who has a pid now: as process, thread, process group or session; undefined when it is free. */
export function findHolder(pid: number): string | undefined {
  // A thread has its own directory too, though no list shows it.
  const own = read(`/proc/${pid}/stat`);
  if (own !== '') {
    const { tgid } = parseStatusFacts(read(`/proc/${pid}/status`));
    const { name } = parseStatFacts(own);
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

/** Processes but `except` and this one that have a descriptor with that link: "12 (tail)". */
export function findHoldersOf(link: string, except: number): string[] {
  const found: string[] = [];
  for (const pid of processes()) {
    if (pid === except || pid === process.pid || !holds(pid, link)) continue;
    found.push(`${pid} (${parseStatFacts(read(`/proc/${pid}/stat`)).name})`);
  }
  return found;
}

function holds(pid: number, link: string): boolean {
  let numbers: string[];
  try {
    numbers = readdirSync(`/proc/${pid}/fd`);
  } catch {
    return false;
  }
  return numbers.some((number) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${number}`) === link;
    } catch {
      return false;
    }
  });
}

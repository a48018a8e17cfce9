import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync, readdirSync, readlinkSync } from 'node:fs';
import { parseSmaps, type Mapping } from '../procfs/smaps.ts';

/** All that /proc tells of a process and that must be the same after a restart. */
export type Facts = Readonly<Record<string, unknown>>;

/** Fields of status that belong to a task or thread, and not to its history. */
const kept = new Set(
  (
    'Name Umask Tgid Pid Uid Gid Groups NSpgid NSsid VmSize VmData VmStk VmExe VmLib Threads ' +
    'SigPnd ShdPnd SigBlk SigIgn SigCgt CapInh CapPrm CapEff CapBnd CapAmb NoNewPrivs Cpus_allowed'
  ).split(' '),
);

function status(path: string): Facts {
  const lines = readFileSync(path, 'latin1').split('\n');
  const fields = lines.map((line) => line.split(/:\s*/, 2) as [string, string]);
  return Object.fromEntries(fields.filter(([name]) => kept.has(name)));
}

/** Fields of stat that say how it is set up: addresses, priorities. */
function stat(path: string): readonly string[] {
  const text = readFileSync(path, 'latin1');
  const words = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return [6, 18, 19, 26, 27, 28, 38, 40, 41, 45, 46, 47, 48, 49, 50, 51].map(
    (field) => words[field - 3] ?? '',
  );
}

/** Pages with what the kernel or the C library change by themselves. */
const changing = new Set(['[vvar]', '[vvar_vclock]', '[vdso]', '[vsyscall]']);
const hashedMax = 64n << 20n;

function hash(fd: number, { start, end, permissions, name }: Mapping): string {
  if (!permissions.startsWith('r') || changing.has(name) || end - start > hashedMax) return '';
  const sum = createHash('sha1');
  const page = Buffer.alloc(4096);
  for (let address = start; address < end; address += 4096n) {
    try {
      readSync(fd, page, 0, 4096, address);
      sum.update(page);
    } catch {
      sum.update('fault');
    }
  }
  return sum.digest('hex').slice(0, 12);
}

/** A mapping with its flags; what only says where its pages are is left out. */
function mapping(fd: number, one: Mapping, contents: boolean): string {
  const { start, end, permissions, offset, name } = one;
  const flags = [...one.flags].filter((flag) => flag !== 'sd').join(' ');
  const place = `${start.toString(16)}-${end.toString(16)} ${permissions} ${offset.toString(16)}`;
  return `${place} ${name} [${flags}] ${contents ? hash(fd, one) : ''}`;
}

function mappings(pid: number, contents: boolean): readonly string[] {
  const fd = openSync(`/proc/${pid}/mem`, 'r');
  try {
    const all = parseSmaps(readFileSync(`/proc/${pid}/smaps`));
    return all.map((one) => mapping(fd, one, contents));
  } finally {
    closeSync(fd);
  }
}

/**
 * @param contents Of memory, too. The kernel changes words of restartable sequences by itself, so
 * this is for one thread bound to one processor.
 */
export function factsOf(pid: number, contents = true): Facts {
  const root = `/proc/${pid}`;
  const text = (path: string): string => readFileSync(`${root}/${path}`, 'latin1');
  const threads = readdirSync(`${root}/task`).map((tid) => [
    tid,
    {
      comm: text(`task/${tid}/comm`),
      status: status(`${root}/task/${tid}/status`),
      stat: stat(`${root}/task/${tid}/stat`),
      slack: readFileSync(`/proc/${tid}/timerslack_ns`, 'latin1'),
    },
  ]);
  return {
    status: status(`${root}/status`),
    stat: stat(`${root}/stat`),
    mappings: mappings(pid, contents),
    links: ['exe', 'cwd', 'root'].map((link) => readlinkSync(`${root}/${link}`)),
    texts: ['auxv', 'cmdline', 'environ', 'limits', 'personality', 'oom_score_adj', 'timers'].map(
      text,
    ),
    threads: Object.fromEntries(threads) as Facts,
  };
}

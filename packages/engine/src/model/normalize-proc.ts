import { decodeText } from '@ckpt/io';
import { hexOf } from './hex.ts';

/** What is compared of a text, by names. */
export type Parts = readonly (readonly [name: string, value: string])[];

const lines = (bytes: Uint8Array): readonly string[] =>
  decodeText(bytes)
    .split('\n')
    .filter((line) => line !== '');

/** Lines of status that belong to a process, and not to its history. */
const statusKept = new Set(
  (
    'Name Umask Uid Gid Groups Threads SigPnd ShdPnd SigBlk SigIgn SigCgt CapInh CapPrm CapEff ' +
    'CapBnd CapAmb NoNewPrivs Seccomp Cpus_allowed x86_Thread_features'
  ).split(' '),
);

function status(bytes: Uint8Array): Parts {
  return lines(bytes).flatMap((line) => {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon);
    if (!statusKept.has(name)) return [];
    const value = line
      .slice(colon + 1)
      .trim()
      .replaceAll(/\s+/g, ' ');
    // Words of processors that are not there may be left out.
    return [[name, name === 'Cpus_allowed' ? value.replace(/^(0+,)+/, '') : value] as const];
  });
}

/** Fields of stat that say how a thread is set up (proc_pid_stat(5)). */
const threadFields = [18, 19, 40, 41];
const processFields = [...threadFields, 26, 27, 28, 38, 45, 46, 47, 48, 49, 50, 51];

function stat(bytes: Uint8Array, fields: readonly number[]): Parts {
  const text = decodeText(bytes);
  const words = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const word = (field: number): string => words[field - 3]?.trim() ?? '';
  const pid = text.slice(0, text.indexOf(' '));
  const leads = [5, 6].map((field) => [`leads ${field}`, String(word(field) === pid)] as const);
  return [...fields.map((field) => [String(field), word(field)] as const), ...leads];
}

/**
 * Lines of fdinfo that name things which are made anew, or count what has been; entries of rings,
 * which their memory tells better.
 */
const fdinfoDropped =
  /^(mnt_id|ino|eventfd-id|SqTotalTime|SqWorkTime|SqThreadCpu|ticks|settime flags):|^\s+\d+: /;

/** open(2): O_TMPFILE, of which one bit is O_DIRECTORY. */
const O_TMPFILE = 0o20200000;
/** EPOLLERR and EPOLLHUP. */
const alwaysTold = 0x18;

/** Of every open(2) of a 64-bit program, and not of pipe2(2) and its like: it says nothing. */
const O_LARGEFILE = 0o100000;

/** A file without a name was made without one, or lost it. */
function plainFlags(octal: string): string {
  const flags = Number.parseInt(octal, 8) & ~O_LARGEFILE;
  return ((flags & O_TMPFILE) === O_TMPFILE ? flags & ~O_TMPFILE : flags).toString(8);
}

function fdinfo(bytes: Uint8Array): Parts {
  const kept = lines(bytes).filter((line) => !fdinfoDropped.test(line));
  const plain = kept.map((line) =>
    line
      .replace(/^flags:\s*(\d+)$/, (_, flags: string) => `flags: 0${plainFlags(flags)}`)
      .replace(
        /^(tfd: .*events: +)([0-9a-f]+)/,
        (_, rest: string, events: string) =>
          // Errors and ends are told whether they are asked for or not.
          `${rest}${(Number.parseInt(events, 16) & ~alwaysTold).toString(16)}`,
      )
      // Where it is watched is known by the number; which file it is, the kernel numbers anew.
      .replace(/^(tfd: .*?)\s+pos:.*$/, '$1')
      // A handle has a generation, which nobody but the file system knows.
      .replace(/ fhandle-bytes:.*$/, '')
      .replace(/^it_value: \((?!0, 0\)).*$/, 'it_value: some')
      .replace(/^lock:\s*\d+: /, 'lock: ')
      .replace(/ [0-9a-f]+:[0-9a-f]+:\d+ /, ' ')
      .replaceAll(/\s+/g, ' '),
  );
  return [['', plain.sort().join('; ')]];
}

/** Up to AT_NULL. */
function auxv(bytes: Uint8Array): Parts {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let end = 0;
  while (end + 16 <= bytes.length && view.getBigUint64(end, true) !== 0n) end += 16;
  return [['', hexOf(bytes.subarray(0, end))]];
}

function timers(bytes: Uint8Array): Parts {
  const blocks = decodeText(bytes).split(/^(?=ID: )/m);
  return [['', blocks.sort().join('')]];
}

type Normalize = (bytes: Uint8Array) => Parts;

const whole: Normalize = (bytes) => [['', decodeText(bytes).replaceAll(/ +/g, ' ')]];

/** By path below /proc/PID; undefined: not compared here. */
const rules: readonly (readonly [pattern: RegExp, rule: Normalize | undefined])[] = [
  // smaps says the same, and more.
  [/^s?maps$/, undefined],
  [/^(task\/\d+\/)?status$/, status],
  [/^stat$/, (bytes) => stat(bytes, processFields)],
  [/^task\/\d+\/stat$/, (bytes) => stat(bytes, threadFields)],
  [/^fdinfo\//, fdinfo],
  [/^auxv$/, auxv],
  [/^timers$/, timers],
  // Of the machine, not of the process.
  [/^net\//, undefined],
];

/** What is compared of a file of /proc/PID. */
export function normalizeFile(path: string, bytes: Uint8Array | undefined): Parts {
  if (bytes === undefined) return [['', 'not there']];
  const [, rule] = rules.find(([pattern]) => pattern.test(path)) ?? ['', whole];
  return rule === undefined ? [] : rule(bytes);
}

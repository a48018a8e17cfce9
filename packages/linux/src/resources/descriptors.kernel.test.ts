import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { adoptTargets, roundTrip } from '../testing/round-trip.ts';
import { scratch } from '../testing/scratch.ts';
import { program, Target } from '../testing/target.ts';

const path = scratch();
const headers = fileURLToPath(new URL('../testing/programs/', import.meta.url));

beforeAll(adoptTargets);

/** open(2): how a file without a name was made; it cannot be opened so again. */
const O_TMPFILE = 0o20200000;

/** "flags:	0100002", without how the file was made. */
function plainFlags(line: string): string {
  const [, octal] = /^flags:\s*(\d+)$/.exec(line) ?? [];
  if (octal === undefined) return line;
  const flags = Number.parseInt(octal, 8);
  return `flags: ${((flags & O_TMPFILE) === O_TMPFILE ? flags & ~O_TMPFILE : flags).toString(8)}`;
}

/** What /proc tells of descriptors; numbers of the kernel's own objects are left out. */
function table(pid: number): readonly string[] {
  const names = readdirSync(`/proc/${pid}/fd`).sort((a, b) => Number(a) - Number(b));
  return names.map((fd) => {
    const link = readlinkSync(`/proc/${pid}/fd/${fd}`).replace(/\[\d+\]/, '[]');
    const info = readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'latin1').split('\n');
    const lines = info.filter(
      (line) => !/^(mnt_id|ino|eventfd-id|SqTotalTime|lock|tfd|ticks|it_value|settime)/.test(line),
    );
    const file = link.replace(/\.ckpt-\S+|#\d+|deleted(?= )/, 'gone');
    return [fd, file, ...lines.map(plainFlags)].join(' ');
  });
}

/** Runs a program to its end through two restarts, with the same descriptors at each. */
async function survives(name: string, ...args: readonly string[]): Promise<void> {
  const target = new Target([program(name, `-I${headers}`), ...args]);
  target.says('ready');
  const before = table(target.pid);
  const first = roundTrip(target.pid);
  expect(table(first.running.pid)).toEqual(before);
  const second = roundTrip(target.pid);
  expect(table(second.running.pid)).toEqual(before);
  process.kill(second.running.pid, 'SIGUSR1');
  const status = await second.running.wait();
  expect(target.output).toBe('ready\ndone\n');
  expect(status).toBe(0);
}

test('files come back with their offsets, flags and locks', async () => {
  await survives('files', path(''));
});

test('pipes come back with the bytes that were in flight', async () => {
  await survives('pipes', path(''));
});

test('epolls and eventfds come back with what they watch and count', async () => {
  await survives('watchers');
});

test('sockets come back with their addresses and options', async () => {
  await survives('sockets', path(''));
});

test('rings come back where they were, their counters go on', async () => {
  await survives('rings');
});

import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createEngine, ObstacleError } from '@ckpt/engine';
import { MemoryFile } from '@ckpt/io';
import { beforeAll, expect, test } from 'vitest';
import {
  adoptTargets,
  host,
  imageOf,
  restartImage,
  roundTrip,
  waitForEnd,
} from '../testing/round-trip.ts';
import { scratch } from '../testing/scratch.ts';
import { pause, program, Target } from '../testing/target.ts';

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
      (line) =>
        !/^(mnt_id|ino|eventfd-id|SqThread|SqTotalTime|SqWorkTime|lock|tfd|ticks|it_value|settime)/.test(
          line,
        ),
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

test('files without a name come back as the same ones for mappings and descriptors', async () => {
  await survives('unnamed', path(''));
});

test('pipes come back with the bytes that were in flight', async () => {
  await survives('pipes', path(''));
});

test('epolls and eventfds come back with what they watch and count', async () => {
  await survives('watchers');
});

test('inotifies come back with what they watch, under the same numbers', async () => {
  await survives('watches', path(''));
});

test('sockets come back with their addresses and options', async () => {
  await survives('sockets', path(''));
});

test('pairs of sockets come back with what is on its way', async () => {
  await survives('pairs');
});

test('descriptors that are on their way through a socket are refused', () => {
  const target = new Target([program('pairs', `-I${headers}`), 'rights']);
  target.says('ready');
  expect(refusals(target)).toContainEqual(expect.stringMatching(/UNIX stream .*SCM_RIGHTS/));
});

test('multicast groups come back with the socket that is in them', () => {
  const target = perl(
    'socket U, PF_INET, SOCK_DGRAM, 17; socket V, 10, SOCK_DGRAM, 17;' +
      'setsockopt U, 0, 35, pack("C8 i", 239, 7, 5, 3, 0, 0, 0, 0, 1) or die $!;' +
      'setsockopt V, 41, 20, pack("C16 i", 255, 1, (7) x 14, 1) or die $!',
  );
  const groups = (): readonly boolean[] => [
    readFileSync('/proc/net/igmp', 'latin1').includes('030507EF'),
    readFileSync('/proc/net/igmp6', 'latin1').includes(`ff01${'07'.repeat(14)}`),
  ];
  expect(groups()).toEqual([true, true]);
  const image = imageOf(target.pid, { kill: true });
  waitForEnd(target.pid);
  target.until('nobody in the groups', () => !groups().includes(true));
  const { running } = restartImage(image);
  expect(groups()).toEqual([true, true]);
  process.kill(running.pid, 'SIGKILL');
});

test('a listening UNIX socket keeps its backlog, and who waits at it is told', () => {
  const target = perl(
    'socket S, PF_UNIX, SOCK_STREAM, 0; bind S, sockaddr_un("\\0ckpt-waited-$$"); listen S, 7;' +
      'if (!fork) { for (1 .. 3) { socket my $c, PF_UNIX, SOCK_STREAM, 0;' +
      'connect $c, getsockname S; push @c, $c } exit } wait',
  );
  const image = new MemoryFile();
  const { notes } = createEngine(host, { kill: true }).checkpoint(target.pid, image);
  waitForEnd(target.pid);
  expect(notes).toContainEqual(expect.stringMatching(/UNIX stream .*: 3 connections that wait/));
  const { running, plan } = createEngine(host).restart(0, new MemoryFile(image.bytes));
  process.kill(running.pid, 'SIGKILL');
  const listen = plan.steps.find((step) => step.op === 'call' && step.call === 'listen');
  expect(listen).toMatchObject({ args: [expect.anything(), 7] });
});

test('rings come back where they were, their counters go on', async () => {
  await survives('rings', 'polled');
});

/** A terminal with a program in it; what it prints is in the target's output. */
function inTerminal(command: string): Target {
  return new Target(['script', '-qfc', command, '/dev/null']);
}

test('a terminal is the one of whoever restarts it, set as it was', async () => {
  const pidFile = path('pid');
  const first = inTerminal(`${program('terminal', `-I${headers}`)} ${pidFile}`);
  first.says('ready');
  const pid = Number(readFileSync(pidFile, 'utf8'));
  const image = imageOf(pid, { kill: true });
  first.until('pid free', () => !existsSync(`/proc/${pid}`));
  const second = inTerminal(`tty > ${path('name')}; echo there; sleep 60`);
  second.says('there');
  const tty = readFileSync(path('name'), 'utf8').trim();
  expect(() => restartImage(image)).toThrow(/ENOTTY.*restart it from a terminal/);
  const { running } = restartImage(image, { settings: { tty } });
  process.kill(pid, 'SIGUSR1');
  expect(await running.wait()).toBe(0);
  second.says('done');
  expect(second.output).toMatch(/^there\s+through \/dev\/tty\s+done\s+$/);
  second.end();
});

/** Reasons why a program cannot be checkpointed. */
function refusals(target: Target): readonly string[] {
  try {
    imageOf(target.pid, { settings: { joinPipes: false, tcp: 'refuse' } });
    return [];
  } catch (error) {
    if (!(error instanceof ObstacleError)) throw error;
    return error.obstacles.map(({ thing, reason, remedy }) => `${thing}: ${reason}: ${remedy}`);
  } finally {
    target.end();
    pause(10);
  }
}

/** Runs Perl until it says that it is ready. */
function perl(script: string): Target {
  const target = new Target([
    'perl',
    '-e',
    `use Socket; $| = 1; ${script}; print "ready\\n"; sleep`,
  ]);
  target.says('ready');
  return target;
}

test.for([
  [
    'a pipe to a child',
    'pipe R, W; if (!fork) { close R; sleep } close W',
    /descriptor 3: pipe:\[\d+\]: its other end leads to \d+ \(perl\): have it joined .*; or close it/,
  ],
  [
    'a pipe that a child holds, too',
    'pipe R, W; fork or sleep',
    /descriptor 3: pipe:\[\d+\]: \d+ \(perl\) holds this pipe, too/,
  ],
  [
    'a connection',
    'socket S, PF_INET, SOCK_STREAM, 0; bind S, sockaddr_in(0, INADDR_LOOPBACK); listen S, 5;' +
      'socket C, PF_INET, SOCK_STREAM, 0; connect C, getsockname S',
    /descriptor 4: socket:\[\d+\], TCP 127\.0\.0\.1:\d+ -> 127\.0\.0\.1:\d+ ESTABLISHED: it is a connection that cannot be carried on: as told/,
  ],
  [
    'a pair with an empty datagram on its way',
    'socketpair A, B, AF_UNIX, SOCK_DGRAM, 0; send A, "", 0',
    /descriptor 3: socket:\[\d+\], UNIX datagram .*cannot be looked at/,
  ],
  [
    'a raw socket',
    'socket R, PF_INET, SOCK_RAW, 1',
    /descriptor 3: socket:\[\d+\], protocol 1.*cannot be carried/,
  ],
  [
    'a socket that hears one sender of a group',
    'socket U, PF_INET, SOCK_DGRAM, 17;' +
      'setsockopt U, 0, 39, pack("C12", 239, 1, 2, 4, 127, 0, 0, 1, 10, 0, 0, 1) or die $!',
    /descriptor 3: socket:\[\d+\], UDP: it hears some senders of the multicast group 239\.1\.2\.4/,
  ],
  [
    'a socket whose packets carry options',
    'socket O, PF_INET, SOCK_DGRAM, 0; setsockopt O, 0, 4, pack("C4", 1, 1, 1, 0) or die $!',
    /descriptor 3: socket:\[\d+\], UDP.*its packets carry options \(IP_OPTIONS\)/,
  ],
  [
    'an event that nobody has read',
    '$n = "/tmp"; $f = syscall(294, 0); syscall(254, $f, $n, 0x100); open F, ">", "/tmp/ckpt-$$"; unlink "/tmp/ckpt-$$"',
    /descriptor 3: anon_inode:inotify: \d+ bytes of events are there/,
  ],
  [
    'the master of a terminal',
    'open P, "+<", "/dev/ptmx"',
    /descriptor 3: \/dev\/p(ts\/p)?tmx: it is the far side of a terminal/,
  ],
  [
    'a lease',
    'open F, "<", "/etc/passwd"; fcntl F, 1024, 0 or die $!',
    /descriptor 3: \/etc\/passwd: it has a lease/,
  ],
  [
    'a pipe that signals to somebody else',
    'pipe R, W; fcntl R, 8, 1',
    /descriptor 3: pipe:\[\d+\]: its signals go to process 1 /,
  ],
  [
    'an io_uring that is not mapped',
    '$p = "\\0" x 120; syscall(425, 8, $p)',
    /descriptor 3: anon_inode:\[io_uring\]: it is not mapped/,
  ],
] as const)('%s is refused by name', ([, script, message]) => {
  expect(refusals(perl(script))).toContainEqual(expect.stringMatching(message));
});

test('a ring with a request in flight is refused', () => {
  const target = new Target([program('rings', `-I${headers}`), 'busy']);
  target.says('ready');
  const [first] = refusals(target);
  expect(first).toMatch(
    /anon_inode:\[io_uring\]: requests are in flight: 10007 were submitted, 10006/,
  );
});

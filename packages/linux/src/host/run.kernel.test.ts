import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  codeAddress,
  dataAddress,
  freePid,
  HandPlan,
  pageSize,
  registersAt,
} from '../testing/hand-plan.ts';
import {
  descriptorsOf,
  mappingsOf,
  memoryOf,
  stateOf,
  statusOf,
  stubs,
  threadsOf,
  until,
} from '../testing/process-facts.ts';
import { programs } from '../testing/programs.ts';
import { scratch } from '../testing/scratch.ts';
import { runPlan } from './run.ts';

const path = scratch();

const exited = (status: number): number => status << 8;
const SIGKILL = 9;

/** One thread that runs a program, its output in a file. */
function simple(program: string, output: string, pid = freePid()): HandPlan {
  const hand = new HandPlan(pid);
  hand.code(program);
  hand.output(output);
  hand.resume({ registers: registersAt(codeAddress) });
  return hand;
}

test('a process made from nothing has the wanted pid, runs, and is waited for', async () => {
  const hand = simple(programs.hello, path('hello'));
  const pages = hand.pages();
  const running = runPlan(hand.plan(), pages);
  expect(running).toMatchObject({ pid: hand.pid, warnings: [] });
  expect(pages.finished).toBe(true);
  expect(await running.wait()).toBe(exited(7));
  expect(await running.wait()).toBe(exited(7));
  expect(readFileSync(path('hello'), 'utf8')).toBe('hello\n');
  expect(stubs(process.pid)).toEqual([]);
});

test('a process whose pid does not matter gets one', async () => {
  const hand = simple(programs.hello, path('any'), 0);
  const running = runPlan(hand.plan(), hand.pages());
  expect(running.pid).toBeGreaterThan(1);
  expect(await running.wait()).toBe(exited(7));
});

test('a process has nothing but what its plan made', async () => {
  const hand = new HandPlan(freePid());
  hand.code(programs.pauses);
  hand.map(dataAddress, 2 * pageSize);
  hand.output(path('bare'), 5);
  hand.resume({ registers: registersAt(codeAddress) });
  const running = runPlan(hand.plan(), hand.pages());
  expect(mappingsOf(running.pid)).toEqual(['00400000-00401000 r-xp', '00500000-00502000 rw-p']);
  expect(descriptorsOf(running.pid)).toEqual([5]);
  expect(threadsOf(running.pid)).toEqual([running.pid]);
  for (const set of ['SigIgn', 'SigCgt', 'SigBlk', 'SigPnd', 'ShdPnd']) {
    expect([set, statusOf(running.pid, set)]).toEqual([set, '0000000000000000']);
  }
  expect(statusOf(running.pid, 'TracerPid')).toBe('0');
  expect(statusOf(running.pid, 'PPid')).toBe(String(process.pid));
  process.kill(running.pid, 'SIGKILL');
  expect(await running.wait()).toBe(SIGKILL);
});

test('pages come from a file through a descriptor of the process that does not stay', async () => {
  const hand = new HandPlan(freePid());
  const content = new Uint8Array(40 * pageSize).map((_, i) => (i * 7 + (i >> 12)) & 0xff);
  hand.map(dataAddress, content.length);
  hand.load(dataAddress, content.subarray(0, 11 * pageSize));
  hand.load(dataAddress + BigInt(11 * pageSize), content.subarray(11 * pageSize));
  hand.code(programs.pauses);
  hand.resume({ registers: registersAt(codeAddress) });
  writeFileSync(path('image'), hand.image(3));
  const fd = openSync(path('image'), 'r');
  const pages = hand.pagesOf(fd, 3);
  const running = runPlan(hand.plan(), pages, { imageFd: fd });
  closeSync(fd);
  expect(memoryOf(running.pid, dataAddress, content.length).equals(content)).toBe(true);
  expect(descriptorsOf(running.pid)).toEqual([]);
  expect(pages.finished).toBe(true);
  process.kill(running.pid, 'SIGKILL');
  expect(await running.wait()).toBe(SIGKILL);
});

test('two threads have the wanted ids and run together', async () => {
  const hand = new HandPlan(freePid());
  const tid = freePid();
  hand.code(programs.pair);
  hand.map(dataAddress, pageSize);
  // Not 0 until the kernel clears it, when the thread ends.
  hand.load(dataAddress, Uint8Array.of(1));
  hand.output(path('pair'));
  hand.thread(tid);
  hand.call('set_tid_address', [dataAddress], { on: tid, expect: tid });
  hand.call('prctl', [15, { blob: Buffer.from('second\0') }, 0, 0, 0], { on: tid });
  hand.resume({ registers: registersAt(codeAddress, { r12: dataAddress }) });
  hand.resume({ on: tid, registers: registersAt(codeAddress + 128n) });
  const running = runPlan(hand.plan(), hand.pages());
  expect(await running.wait()).toBe(exited(3));
  expect(readFileSync(path('pair'), 'utf8')).toBe('thread\nleader\n');
});

test('forty threads stand under their ids and names', async () => {
  const hand = new HandPlan(freePid());
  const tids = [...new Set(Array.from({ length: 40 }, freePid))].filter((tid) => tid !== hand.pid);
  hand.code(programs.pauses);
  for (const tid of tids) hand.thread(tid);
  for (const tid of tids) {
    const name = Buffer.from(`name ${tid}\0`);
    hand.call('prctl', [15, { blob: name }, 0, 0, 0], { on: tid });
    hand.resume({ on: tid, registers: registersAt(codeAddress) });
  }
  hand.resume({ registers: registersAt(codeAddress) });
  const running = runPlan(hand.plan(), hand.pages());
  expect(threadsOf(running.pid)).toEqual([running.pid, ...tids].sort((a, b) => a - b));
  for (const tid of tids) {
    expect(readFileSync(`/proc/${running.pid}/task/${tid}/comm`, 'utf8')).toBe(`name ${tid}\n`);
  }
  process.kill(running.pid, 'SIGKILL');
  expect(await running.wait()).toBe(SIGKILL);
});

test('a program without vdso and system call instruction is left as it was', async () => {
  const hand = new HandPlan(freePid());
  hand.code(programs.faults);
  hand.resume({ registers: registersAt(codeAddress) });
  const SIGILL = 4;
  expect((await runPlan(hand.plan(), hand.pages()).wait()) & 0x7f).toBe(SIGILL);
});

test('what calls make can be used by later ones: results, words, rooms, bytes behind bytes', async () => {
  const hand = new HandPlan(freePid());
  hand.code(programs.hello);
  hand.output(path('words'), 1);
  const ends = { room: 'pipe', size: 8 };
  hand.call('pipe2', [ends, 0]);
  const text = Buffer.from('through a pipe\n');
  const iovec = new Uint8Array(16);
  new DataView(iovec.buffer).setBigUint64(8, BigInt(text.length), true);
  const pointers = [{ offset: 0, to: text }];
  hand.call('writev', [{ word: 'pipe', index: 1 }, { blob: iovec, pointers }, 1], {
    expect: text.length,
  });
  const got = { room: 'got', size: 64 };
  const read = hand.call('read', [{ word: 'pipe', index: 0 }, got, 64], {
    expectRoom: { room: 'got', offset: 8, bytes: Buffer.from('a pipe') },
  });
  hand.call('write', [1, got, read], { expect: text.length });
  hand.call('close', [{ word: 'pipe', index: 0 }]);
  hand.call('close', [{ word: 'pipe', index: 1 }]);
  hand.resume({ registers: registersAt(codeAddress) });
  expect(await runPlan(hand.plan(), hand.pages()).wait()).toBe(exited(7));
  expect(readFileSync(path('words'), 'utf8')).toBe('through a pipe\nhello\n');
});

test.for(['memory', 'file'])(
  'stored contents fill files and pipes, image in a %s',
  async (kind) => {
    const hand = new HandPlan(freePid());
    const content = Buffer.alloc(3 * (1 << 20) + 4321).map((_, i) => (i * 31) >> 3);
    hand.code(programs.pauses);
    writeFileSync(path(`filled-${kind}`), '');
    hand.output(path(`opened-${kind}`), 3);
    const filled = Buffer.from(`${path(`filled-${kind}`)}\0`);
    const fd = hand.call('open', [{ blob: filled }, 2, 0]);
    const length = content.length;
    hand.add({ op: 'load', to: { fd, offset: 0n }, length, index: hand.store(content) });
    hand.call('pipe2', [{ room: 'pipe', size: 8 }, 0]);
    const end = { word: 'pipe', index: 1 };
    const inPipe = content.subarray(0, 60_001);
    hand.add({
      ...{ op: 'load', to: { fd: end, offset: -1n } },
      ...{ length: inPipe.length, index: hand.store(inPipe) },
    });
    const back = { room: 'back', size: 60_001 };
    hand.call('read', [{ word: 'pipe', index: 0 }, back, 60_001], {
      expect: 60_001,
      expectRoom: { room: 'back', offset: 0, bytes: inPipe },
    });
    hand.resume({ registers: registersAt(codeAddress) });
    writeFileSync(path('contents'), hand.image(300));
    const image = openSync(path('contents'), 'r');
    const running =
      kind === 'file'
        ? runPlan(hand.plan(), hand.pagesOf(image, 300), { imageFd: image })
        : runPlan(hand.plan(), hand.pages(300));
    closeSync(image);
    expect(readFileSync(path(`filled-${kind}`)).equals(content)).toBe(true);
    process.kill(running.pid, 'SIGKILL');
    expect(await running.wait()).toBe(SIGKILL);
  },
);

test('a call that may fail is said, and those that depend on it are not made', async () => {
  const hand = simple(programs.hello, path('warned'));
  const missing = hand.call('open', [{ blob: Buffer.from('/no/such/file\0') }, 0, 0], {
    failure: 'warn',
    what: 'opening /no/such/file',
  });
  hand.call('dup2', [missing, 9], { failure: 'warn', what: 'never said' });
  hand.call('nanosleep', [8, 0], { failure: 'warn', what: 'sleeping' });
  hand.call('getppid', [], { failure: 'warn', expect: 4, what: 'another parent' });
  const running = runPlan(hand.plan(), hand.pages());
  expect(running.warnings).toEqual([
    'opening /no/such/file: ENOENT',
    'sleeping: EFAULT',
    `another parent: getppid returned ${process.pid}, not 4: EIO`,
  ]);
  expect(await running.wait()).toBe(exited(7));
});

test('a plan of twenty thousand calls runs, larger than its hole', async () => {
  const hand = simple(programs.hello, path('many'));
  const blob = new Uint8Array(1000).fill(0x61);
  const bytes = blob.subarray(0, 3);
  const last = Array.from({ length: 20_000 }, (_, i) => {
    const room = { room: 'room', size: 16 };
    const fd = hand.call('memfd_create', [{ blob: Buffer.from(`${i}\0`) }, 0]);
    hand.call('write', [fd, { blob }, 1000], { expect: 1000 });
    hand.call('pread64', [fd, room, 3, 7], {
      expect: 3,
      expectRoom: { room: 'room', offset: 0, bytes },
    });
    hand.call('close', [fd]);
    return fd;
  }).at(-1);
  expect(last).toBeDefined();
  const started = performance.now();
  const running = runPlan(hand.plan(), hand.pages());
  console.log(`80000 calls took ${Math.round(performance.now() - started)} ms`);
  expect(await running.wait()).toBe(exited(7));
});

test('descriptors of the restarter are given by name', async () => {
  const hand = new HandPlan(freePid());
  hand.code(programs.pauses);
  hand.call('dup2', [{ external: 'stderr' }, 2]);
  hand.resume({ registers: registersAt(codeAddress) });
  const running = runPlan(hand.plan(), hand.pages());
  await until(() => descriptorsOf(running.pid).length === 1, 'one descriptor');
  expect(descriptorsOf(running.pid)).toEqual([2]);
  process.kill(running.pid, 'SIGKILL');
  expect(await running.wait()).toBe(SIGKILL);
});

test('signals from outside, on the way, come to the process when it runs', async () => {
  const sent = (signal: NodeJS.Signals, point: string): ReturnType<typeof runPlan> => {
    const hand = new HandPlan(freePid());
    hand.code(programs.pauses);
    hand.call('getpid', []);
    hand.resume({ registers: registersAt(codeAddress) });
    const at = (reached: string): void => {
      if (reached === point) process.kill(hand.pid, signal);
    };
    return runPlan(hand.plan(), hand.pages(), { at });
  };
  expect(await sent('SIGTERM', 'wipe').wait()).toBe(15);
  const urged = sent('SIGURG', 'wipe');
  process.kill(urged.pid, 'SIGKILL');
  expect(await urged.wait()).toBe(SIGKILL);
  for (const point of ['wipe', 'load', 'ready']) {
    const running = sent('SIGSTOP', point);
    await until(() => stateOf(running.pid) === 'T', `stopped when sent at ${point}`);
    process.kill(running.pid, 'SIGKILL');
    expect(await running.wait()).toBe(SIGKILL);
  }
  expect(() => sent('SIGKILL', 'load')).toThrow(/ESRCH/);
});

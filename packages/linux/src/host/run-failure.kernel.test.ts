import { CkptError } from '@ckpt/format';
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import {
  codeAddress,
  dataAddress,
  freePid,
  freshXstate,
  HandPlan,
  hole,
  pageSize,
  registersAt,
} from '../testing/hand-plan.ts';
import { stateOf, stubs, until } from '../testing/process-facts.ts';
import { programs } from '../testing/programs.ts';
import { scratch } from '../testing/scratch.ts';
import { runPlan, type RunOptions } from './run.ts';
import { syscall, trySyscall } from './syscall.ts';

const path = scratch();

/** Runs a plan that must fail; nothing of it may be left, not even a zombie. */
function failureOf(hand: HandPlan, options: RunOptions = {}, pages = hand.pages()): CkptError {
  let thrown: unknown;
  try {
    runPlan(hand.plan(), pages, options);
  } catch (error) {
    thrown = error;
  }
  if (!(thrown instanceof CkptError)) throw new Error(`not refused: ${String(thrown)}`);
  expect(existsSync(`/proc/${hand.pid}`)).toBe(false);
  expect(stubs(process.pid)).toEqual([]);
  const ECHILD = -10;
  const WNOHANG_WALL = 0x40000001;
  expect(trySyscall('wait4', hand.pid, 0, WNOHANG_WALL, 0)).toBe(ECHILD);
  return thrown;
}

/** A plan that would run, but for what is added to it. */
function paused(): HandPlan {
  const hand = new HandPlan(freePid());
  hand.code(programs.pauses);
  return hand;
}

function resumed(hand: HandPlan): HandPlan {
  hand.resume({ registers: registersAt(codeAddress) });
  return hand;
}

test('a call that fails ends everything, with errno, place and what to do', () => {
  const hand = paused();
  const missing = Buffer.from('/no/such/file\0');
  hand.call('open', [{ blob: missing }, 0, 0], { what: 'open /no/such/file: put it back' });
  const position = 0x1000 + hand.steps.length - 1;
  const error = failureOf(resumed(hand));
  expect(error).toMatchObject({ code: 'ENOENT', position, path: ['test'] });
  expect(error.sentence).toBe('open /no/such/file: put it back');
});

test('a call that returns something else ends everything', () => {
  const hand = paused();
  hand.call('getpid', [], { expect: 1, what: 'being the first' });
  const error = failureOf(resumed(hand));
  expect(error).toMatchObject({ code: 'EIO' });
  expect(error.sentence).toBe(`being the first: getpid returned ${hand.pid}, not 1`);
});

test('a call that finds something else ends everything', () => {
  const hand = paused();
  hand.call('uname', [{ room: 'uts', size: 390 }], {
    expectRoom: { room: 'uts', offset: 0, bytes: Buffer.from('Plan 9\0') },
    what: 'looking at the system',
  });
  const error = failureOf(resumed(hand));
  expect(error).toMatchObject({ code: 'ESTALE', message: /looking at the system/ });
});

test('a call on a result that failed has the errno of that', () => {
  const hand = paused();
  const fd = hand.call('open', [{ blob: Buffer.from('/no/such\0') }, 0, 0], { failure: 'warn' });
  hand.call('dup2', [fd, 1], { what: 'placing it' });
  expect(failureOf(resumed(hand))).toMatchObject({ code: 'ENOENT', sentence: 'placing it' });
});

test('a failure on another thread ends all of them', () => {
  const hand = paused();
  const tid = freePid();
  hand.thread(tid);
  hand.call('dup2', [77, 78], { on: tid, what: 'on a thread' });
  hand.resume({ on: tid, registers: registersAt(codeAddress) });
  expect(failureOf(resumed(hand))).toMatchObject({ code: 'EBADF', sentence: 'on a thread' });
  expect(existsSync(`/proc/${tid}`)).toBe(false);
});

test('a thread whose id is in use is said, with who has it', () => {
  const hand = paused();
  hand.thread(process.pid);
  hand.resume({ on: process.pid, registers: registersAt(codeAddress) });
  const error = failureOf(resumed(hand), { holder: (pid) => `${pid} (a test)` });
  expect(error).toMatchObject({ code: 'EEXIST' });
  expect(error.sentence).toContain(`pid ${process.pid} is in use by ${process.pid} (a test)`);
});

test('pages for memory that is not there end everything', () => {
  for (const image of ['memory', 'file']) {
    const hand = paused();
    hand.load(dataAddress, new Uint8Array(3 * pageSize));
    resumed(hand);
    writeFileSync(path('image'), hand.image());
    const fd = openSync(path('image'), 'r');
    const isFile = image === 'file';
    const error = isFile
      ? failureOf(hand, { imageFd: fd }, hand.pagesOf(fd))
      : failureOf(hand, {}, hand.pages());
    closeSync(fd);
    expect([image, error.code, error.path]).toEqual([image, 'EFAULT', ['test']]);
  }
});

test('an image file that ends too early ends everything', () => {
  const hand = paused();
  hand.map(dataAddress, 3 * pageSize);
  hand.load(dataAddress, new Uint8Array(3 * pageSize));
  resumed(hand);
  writeFileSync(path('short'), hand.image(100).subarray(0, -5000));
  const fd = openSync(path('short'), 'r');
  const error = failureOf(hand, { imageFd: fd }, hand.pagesOf(fd, 100));
  closeSync(fd);
  expect(error).toMatchObject({ code: 'EPIPE', path: ['test'] });
});

test('an image that turns out not to be whole ends everything', () => {
  const hand = resumed(paused());
  const pages = hand.pages();
  pages.finish = () => {
    throw new CkptError('EPIPE', 'no TAIL');
  };
  expect(failureOf(hand, {}, pages)).toMatchObject({ code: 'EPIPE', sentence: 'no TAIL' });
});

test('a full device is said with its errno', () => {
  const hand = paused();
  const fd = hand.call('open', [{ blob: Buffer.from('/dev/full\0') }, 1, 0]);
  const content = new Uint8Array(3 * pageSize);
  const load = { length: content.length, index: hand.store(content) };
  hand.add({ op: 'load', to: { fd, offset: 0n }, ...load });
  expect(failureOf(resumed(hand))).toMatchObject({ code: 'ENOSPC', path: ['test'] });
});

test('processor state that this machine does not have ends everything', () => {
  const xstate = freshXstate();
  new DataView(xstate.buffer).setBigUint64(512, 1n << 62n, true);
  const hand = paused();
  hand.resume({ registers: registersAt(codeAddress), xstate });
  expect(failureOf(hand)).toMatchObject({ code: 'EINVAL', path: ['test/resume'] });
});

test('registers that no program can have end everything', () => {
  const hand = paused();
  hand.resume({ registers: registersAt(codeAddress, { cs: 0 }) });
  expect(failureOf(hand)).toMatchObject({ code: 'EIO', path: ['test/resume'] });
});

test('words for memory that is not there end everything', () => {
  const hand = paused();
  hand.resume({ registers: registersAt(codeAddress), words: [{ address: 0x1000n, value: 1n }] });
  expect(failureOf(hand)).toMatchObject({ code: 'EFAULT', path: ['test/resume'] });
});

test('a process that kills itself on the way ends everything', () => {
  const hand = paused();
  hand.call('kill', [hand.pid, 9]);
  expect(failureOf(resumed(hand))).toMatchObject({ code: 'ESRCH', message: /killed by signal 9/ });
});

test('a program without code is refused', () => {
  const hand = new HandPlan(freePid());
  hand.map(dataAddress, pageSize);
  expect(failureOf(resumed(hand))).toMatchObject({ code: 'ENOEXEC' });
});

test('nothing is made for a plan that is wrong by itself', () => {
  const wrong = (change: (hand: HandPlan) => void): CkptError => {
    const hand = paused();
    change(hand);
    return failureOf(resumed(hand), {
      at: (point) => {
        throw new Error(`it came to ${point}`);
      },
    });
  };
  expect(wrong((hand) => hand.call('no_such_call', []))).toMatchObject({ code: 'ENOSYS' });
  expect(wrong((hand) => hand.call('close', [{ external: 'nothing' }])).code).toBe('EINVAL');
  expect(wrong((hand) => hand.call('close', [{ result: 'nothing' }])).code).toBe('EINVAL');
  expect(wrong((hand) => hand.call('close', [1], { on: 1 })).code).toBe('EINVAL');
  const short = { op: 'wipe', hole: { ...hole, length: pageSize } } as const;
  expect(
    wrong((hand) => {
      hand.steps.splice(1, 1, {
        ...short,
        id: 'short',
        on: hand.pid,
        from: { position: 1, path: 'x' },
      });
    }).sentence,
  ).toMatch(/the hole .* is under/);
  expect(wrong((hand) => hand.call('read', [0, { room: 'huge', size: 1 << 30 }, 1])).code).toBe(
    'E2BIG',
  );
});

test('a pid that is in use is said, with who has it', () => {
  const hand = new HandPlan(process.pid);
  hand.code(programs.pauses);
  resumed(hand);
  const holder = (pid: number): string => `${pid} (vitest)`;
  expect(() => runPlan(hand.plan(), hand.pages(), { holder })).toThrow(
    `EEXIST at 0x1000 in test: pid ${process.pid} is in use by ${process.pid} (vitest): end it first`,
  );
  expect(stateOf(process.pid)).not.toBe('Z');
  expect(stubs(process.pid)).toEqual([]);
});

test('a pid that a process group still has is said', () => {
  // The leader of the group ends, another process stays in it.
  const script = 'sleep 20 >/dev/null 2>&1 & echo $!';
  const { stdout, pid } = spawnSync('setsid', ['sh', '-c', script], { encoding: 'utf8' });
  onTestFinished(() => {
    process.kill(Number(stdout), 'SIGKILL');
  });
  expect(existsSync(`/proc/${pid}`)).toBe(false);
  const hand = new HandPlan(pid);
  hand.code(programs.pauses);
  expect(failureOf(resumed(hand)).sentence).toMatch(/in use by a process group or session/);
});

test('a pid that is about to be free is waited for', async () => {
  // A zombie, whose parent waits for it after a while.
  const parent = 'my $p = fork() || exit; print "$p\\n"; close STDOUT; sleep 1; wait';
  const { stdout } = spawnSync('sh', ['-c', `perl -e '$| = 1; ${parent}' 2>/dev/null &`], {
    encoding: 'utf8',
  });
  const pid = Number(stdout);
  await until(() => stateOf(pid) === 'Z', 'a zombie');
  const hand = new HandPlan(pid);
  hand.code(programs.hello);
  hand.output(path('zombie'));
  const running = runPlan(resumed(hand).plan(), hand.pages());
  expect(await running.wait()).toBe(7 << 8);
});

test('a pid over the limit is said', () => {
  const hand = new HandPlan(4_194_303);
  hand.code(programs.pauses);
  const limit = readFileSync('/proc/sys/kernel/pid_max', 'latin1').trim();
  if (Number(limit) <= hand.pid) {
    expect(failureOf(resumed(hand)).sentence).toContain(`kernel.pid_max is ${limit}`);
  }
});

test('descriptors of the restarter stay what they are', () => {
  const before = syscall('fcntl', 1, 3);
  const hand = paused();
  hand.call('dup2', [77, 78]);
  failureOf(resumed(hand));
  expect(syscall('fcntl', 1, 3)).toBe(before);
});

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  codeAddress,
  dataAddress,
  freePid,
  freshXstate,
  HandPlan,
  pageSize,
  registersAt,
} from '../testing/hand-plan.ts';
import {
  callOf,
  mappingsOf,
  memoryOf,
  stateOf,
  statusOf,
  until,
} from '../testing/process-facts.ts';
import { programs } from '../testing/programs.ts';
import { scratch } from '../testing/scratch.ts';
import { runPlan } from './run.ts';
import { syscallNumbers } from './syscall-numbers.ts';

const path = scratch();

const exited = (status: number): number => status << 8;
const signals = {
  TRAP: 5,
  KILL: 9,
  USR1: 10,
  USR2: 12,
  ALRM: 14,
  CONT: 18,
  URG: 23,
  RT: 40,
} as const;
const ERESTARTSYS = -512;
const ERESTARTNOHAND = -514;
const ERESTART_RESTARTBLOCK = -516;
const EINTR = 4;
const SA_RESTART = 0x1000_0000n;

/** struct kernel_sigaction of rt_sigaction(2). */
function action(handler: bigint, flags: bigint): Uint8Array {
  const bytes = new Uint8Array(32);
  const view = new DataView(bytes.buffer);
  const SA_SIGINFO_RESTORER = 0x4000004n;
  view.setBigUint64(0, handler, true);
  view.setBigUint64(8, SA_SIGINFO_RESTORER | flags, true);
  return bytes;
}

/** siginfo_t of kill(2) or sigqueue(3), from a process that never was. */
function siginfo(signal: number, code: number, pid: number, value = 0): Uint8Array {
  const bytes = new Uint8Array(128);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, signal, true);
  view.setInt32(8, code, true);
  view.setInt32(16, pid, true);
  view.setInt32(24, value, true);
  return bytes;
}

/** A program with its stack, and the handler at byte 16 for a signal. */
function handling(program: string, output: string, signal: number, flags = 0n): HandPlan {
  const hand = new HandPlan(freePid());
  hand.code(program);
  hand.map(dataAddress, pageSize);
  hand.output(output);
  hand.call('rt_sigaction', [signal, { blob: action(codeAddress + 16n, flags) }, 0, 8]);
  return hand;
}

const stack = { rsp: dataAddress + 4096n };

test('registers and vector registers are as they were', async () => {
  const hand = new HandPlan(freePid());
  hand.code(programs.shows);
  hand.map(dataAddress, pageSize);
  hand.output(path('registers'));
  const xstate = freshXstate();
  const view = new DataView(xstate.buffer);
  view.setBigUint64(160 + 5 * 16, 0x1122_3344_5566_7788n, true);
  view.setBigUint64(512, 3n, true); // The SSE state is in use, the x87 state as well.
  const registers = registersAt(codeAddress, { rbx: 0xdead_beef_cafe_f00dn, r15: dataAddress });
  hand.resume({ registers, xstate });
  expect(await runPlan(hand.plan(), hand.pages()).wait()).toBe(0);
  const shown = readFileSync(path('registers'));
  expect(shown.readBigUInt64LE(0)).toBe(0xdead_beef_cafe_f00dn);
  expect(shown.readBigUInt64LE(8)).toBe(0x1122_3344_5566_7788n);
});

test('words are written last', async () => {
  const hand = new HandPlan(freePid());
  hand.code(programs.pauses);
  hand.map(dataAddress, pageSize);
  const words = [{ address: dataAddress + 8n, value: 0x1234_5678_9abc_def0n }];
  hand.resume({ registers: registersAt(codeAddress), words });
  const running = runPlan(hand.plan(), hand.pages());
  expect(memoryOf(running.pid, dataAddress + 8n, 8).readBigUInt64LE()).toBe(0x1234_5678_9abc_def0n);
  process.kill(running.pid, 'SIGKILL');
  await running.wait();
});

/** Registers of a thread that was interrupted in a call which the kernel would make again. */
const interrupted = (rax: number, call: 'pause' | 'nanosleep') =>
  registersAt(codeAddress + 2n, { rax, orig_rax: syscallNumbers[call], ...stack });

test('an interrupted call is made again', async () => {
  const hand = new HandPlan(freePid());
  hand.code(programs.endsWithErrno);
  hand.resume({ registers: interrupted(ERESTARTNOHAND, 'pause') });
  const running = runPlan(hand.plan(), hand.pages());
  await until(() => callOf(running.pid) === syscallNumbers.pause, 'pause');
  process.kill(running.pid, 'SIGKILL');
  expect(await running.wait()).toBe(signals.KILL);
});

test.for([
  { what: 'returns EINTR', rax: ERESTARTSYS, flags: 0n },
  { what: 'returns EINTR, whatever the handler allows', rax: ERESTARTNOHAND, flags: SA_RESTART },
  { what: 'is made again', rax: ERESTARTSYS, flags: SA_RESTART },
])('an interrupted call with a signal to handle $what', async ({ rax, flags, what }) => {
  const hand = handling(programs.returnsErrno, path(`handled-${what}`), signals.USR1, flags);
  const pending = [siginfo(signals.USR1, 0, 4711)];
  hand.resume({ registers: interrupted(rax, 'pause'), pending });
  const running = runPlan(hand.plan(), hand.pages());
  if (what === 'is made again') {
    await until(() => callOf(running.pid) === syscallNumbers.pause, 'pause');
    expect(statusOf(running.pid, 'SigPnd')).toBe('0000000000000000');
    process.kill(running.pid, 'SIGKILL');
  }
  expect(await running.wait()).toBe(what === 'is made again' ? signals.KILL : exited(EINTR));
});

test('a sleep goes on with the time that was left', async () => {
  const hand = new HandPlan(freePid());
  hand.code(programs.endsWithErrno);
  const left = new Uint8Array(16);
  new DataView(left.buffer).setBigUint64(8, 300_000_000n, true);
  const sleep = { call: 'nanosleep', args: [{ blob: left }, 0] };
  hand.resume({ registers: interrupted(ERESTART_RESTARTBLOCK, 'nanosleep'), sleep });
  const started = performance.now();
  const running = runPlan(hand.plan(), hand.pages());
  await until(() => callOf(running.pid) === syscallNumbers.restart_syscall, 'restart_syscall');
  expect(mappingsOf(running.pid)).toEqual(['00400000-00401000 r-xp']);
  expect(await running.wait()).toBe(exited(0));
  const took = performance.now() - started;
  expect(took).toBeGreaterThan(299);
  expect(took).toBeLessThan(450);
});

test('a sleep whose time is over has returned', async () => {
  const hand = new HandPlan(freePid());
  hand.code(programs.endsWithErrno);
  const sleep = { call: 'nanosleep', args: [{ blob: new Uint8Array(16) }, 0] };
  hand.resume({ registers: interrupted(ERESTART_RESTARTBLOCK, 'nanosleep'), sleep });
  expect(await runPlan(hand.plan(), hand.pages()).wait()).toBe(exited(0));
});

test('a sleep that nothing is known of is refused', () => {
  const hand = new HandPlan(freePid());
  hand.code(programs.endsWithErrno);
  hand.resume({ registers: interrupted(ERESTART_RESTARTBLOCK, 'nanosleep') });
  expect(() => runPlan(hand.plan(), hand.pages())).toThrow(/EINVAL at 0x9000 in test\/resume/);
});

test.for([
  { what: 'kill(2)', code: 0, signal: signals.USR1 },
  { what: 'sigqueue(3)', code: -1, signal: signals.RT },
  { what: 'the kernel', code: 0x80, signal: signals.ALRM },
  { what: 'SIGURG, which the executor uses,', code: 0, signal: signals.URG },
  { what: 'SIGTRAP, which a breakpoint would use,', code: 0, signal: signals.TRAP },
])('a pending signal of $what comes to its handler as it was sent', async ({ code, signal }) => {
  for (const shared of [false, true]) {
    const output = path(`pending-${signal}-${String(shared)}`);
    const hand = handling(programs.pauses, output, signal);
    const queued = [siginfo(signal, code, 4711)];
    hand.resume({
      registers: registersAt(codeAddress, stack),
      ...(shared ? { pendingShared: queued } : { pending: queued }),
    });
    expect(await runPlan(hand.plan(), hand.pages()).wait()).toBe(exited(signal));
    const seen = readFileSync(output);
    expect([seen.readInt32LE(0), seen.readInt32LE(8)]).toEqual([signal, code]);
    expect(seen.readInt32LE(16)).toBe(4711);
  }
});

test('blocked signals stay pending, each as often as it was queued', async () => {
  const hand = new HandPlan(freePid());
  hand.code(programs.pauses);
  const mask = (1n << BigInt(signals.RT - 1)) | (1n << BigInt(signals.USR2 - 1));
  const pending = Array.from({ length: 300 }, (_, i) => siginfo(signals.RT, -1, 1, i));
  const pendingShared = [siginfo(signals.USR2, 0, 1)];
  hand.resume({ registers: registersAt(codeAddress), signalMask: mask, pending, pendingShared });
  const running = runPlan(hand.plan(), hand.pages());
  const bits = (value: bigint): string => value.toString(16).padStart(16, '0');
  expect(statusOf(running.pid, 'SigBlk')).toBe(bits(mask));
  expect(statusOf(running.pid, 'SigPnd')).toBe(bits(1n << BigInt(signals.RT - 1)));
  expect(statusOf(running.pid, 'ShdPnd')).toBe(bits(1n << BigInt(signals.USR2 - 1)));
  process.kill(running.pid, 'SIGKILL');
  expect(await running.wait()).toBe(signals.KILL);
});

test('an ignored SIGTRAP stays ignored', async () => {
  const hand = new HandPlan(freePid());
  hand.code(programs.pauses);
  hand.call('rt_sigaction', [signals.TRAP, { blob: action(1n, 0n) }, 0, 8]);
  hand.resume({ registers: registersAt(codeAddress), signalMask: 1n << 4n });
  const running = runPlan(hand.plan(), hand.pages());
  expect(statusOf(running.pid, 'SigIgn')).toBe('0000000000000010');
  process.kill(running.pid, 'SIGKILL');
  await running.wait();
});

test('a stopped process stays stopped, all its threads, until it is continued', async () => {
  const hand = new HandPlan(freePid());
  const tid = freePid();
  hand.code(programs.pair);
  hand.map(dataAddress, pageSize);
  hand.load(dataAddress, Uint8Array.of(1));
  hand.output(path('stopped'));
  hand.thread(tid);
  hand.call('set_tid_address', [dataAddress], { on: tid });
  hand.resume({ registers: registersAt(codeAddress, { r12: dataAddress }), stopped: true });
  hand.resume({ on: tid, registers: registersAt(codeAddress + 128n), stopped: true });
  const running = runPlan(hand.plan(), hand.pages());
  const states = (): unknown[] => [stateOf(running.pid), stateOf(tid)];
  await until(() => states().join('') === 'TT', 'both stopped');
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(states()).toEqual(['T', 'T']);
  expect(statusOf(running.pid, 'TracerPid')).toBe('0');
  expect(readFileSync(path('stopped'), 'utf8')).toBe('');
  process.kill(running.pid, 'SIGCONT');
  expect(await running.wait()).toBe(exited(3));
  expect(readFileSync(path('stopped'), 'utf8')).toBe('thread\nleader\n');
});

test('a stopped process gets its pending signals when it is continued', async () => {
  const hand = handling(programs.pauses, path('later'), signals.USR1);
  const pending = [siginfo(signals.USR1, 0, 4711)];
  hand.resume({ registers: registersAt(codeAddress, stack), stopped: true, pending });
  const running = runPlan(hand.plan(), hand.pages());
  await until(() => stateOf(running.pid) === 'T', 'stopped');
  expect(readFileSync(path('later'), 'utf8')).toBe('');
  process.kill(running.pid, 'SIGCONT');
  expect(await running.wait()).toBe(exited(signals.USR1));
});

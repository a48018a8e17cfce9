import { MemoryFile } from '@ckpt/io';
import { expect, test } from 'vitest';
import { caught } from '../testing/caught.ts';
import { FakeHost } from '../testing/fake-host.ts';
import { createEngine } from '../engine.ts';
import type { PageReader } from '../host.ts';
import type { CallStep, DieStep, Plan, ResumeStep, Step, Value } from '../plan.ts';
import { ModelKernel, type ModelRunOptions } from './kernel.ts';

const pid = 42;
const at = 0x20_0000n;
const from = { position: 0x40, path: 'TEST' };
const system = { ...new FakeHost().system(), choosesPids: true };

const call = (name: string, args: readonly Value[], more: Partial<CallStep> = {}): CallStep => ({
  ...{ op: 'call', id: name, call: name, args, on: pid, from, failure: 'fatal', what: name },
  ...more,
});

const resume = (on = pid, more: Partial<ResumeStep> = {}): ResumeStep => ({
  ...{ op: 'resume', id: `resume ${on}`, on, from, registers: new Uint8Array(216) },
  ...{ xstate: new Uint8Array(system.cpu.xstateSize), signalMask: 0n, words: [] },
  ...{ pending: [], pendingShared: [], stopped: false },
  ...more,
});

const map = call('mmap', [at, 0x4000, 3, 0x10_0022, -1, 0], { expect: at });

/** A plan of one thread, or two, with these steps between the first and the last. */
function planOf(steps: readonly Step[], resumes: readonly ResumeStep[] = [resume()]): Plan {
  const hole = { address: 0x1000_0000n, length: 1 << 24 };
  const parties = resumes.map(({ on }) => on);
  return {
    pid,
    steps: [
      { op: 'spawn', id: 'spawn', on: pid, from, kind: 'process', pid },
      { op: 'wipe', id: 'wipe', on: pid, from, hole },
      ...steps,
      { op: 'meet', id: 'meet', on: pid, from, barrier: 'ready', parties },
      ...resumes,
    ],
    store: { pages: 4, pageSize: 4096 },
    notes: [],
  };
}

/** Pages filled with 1, 2, 3, 4. */
function store(): PageReader & { isFinished: boolean } {
  const reader = {
    ...{ index: 0, position: 0, isFinished: false, taken: () => undefined },
    ready: () => 4 - reader.index,
    read: (into: Uint8Array) => {
      for (let page = 0; page * 4096 < into.length; page++) {
        into.fill(++reader.index, page * 4096, (page + 1) * 4096);
      }
    },
    skip: (pages: number) => {
      reader.index += pages;
    },
    finish: () => {
      reader.isFinished = true;
    },
  };
  return reader;
}

function run(plan: Plan, options: ModelRunOptions = {}) {
  const kernel = new ModelKernel(system);
  const pages = store();
  const act = () => kernel.run(plan, pages, options);
  return { kernel, act, pages };
}

test('a plan makes a process with what it says', () => {
  const steps: Step[] = [
    map,
    {
      op: 'load',
      id: 'load',
      on: pid,
      from,
      to: { address: at + 0x1000n },
      length: 0x2000,
      index: 1,
    },
    { op: 'spawn', id: 'second', on: pid, from, kind: 'thread', pid: 50 },
    call('prctl', [15, { blob: Uint8Array.of(0x61, 0) }, 0, 0, 0], { on: 50 }),
  ];
  const word = { address: at + 8n, value: 0x1234n };
  const { act, kernel, pages } = run(planOf(steps, [resume(), resume(50, { words: [word] })]));
  expect(act()).toMatchObject({ pid, warnings: [] });
  expect(pages.isFinished).toBe(true);
  const { space, threads, leader } = kernel.process(pid);
  expect([...threads.keys()]).toEqual([pid, 50]);
  expect(threads.get(50)?.comm[0]).toBe(0x61);
  expect(leader.comm[0]).not.toBe(0x61);
  expect(space.read(at + 0x1fffn, 2)).toEqual(Uint8Array.of(2, 3));
  expect(space.read(at + 8n, 2)).toEqual(Uint8Array.of(0x34, 0x12));
  // The executor and what it began with are gone.
  expect(space.vmas.map(({ start }) => start)).toEqual([at]);
});

test.for([
  ['an errno', call('close', [7]), 'EBADF', 'close'],
  ['another result', call('umask', [0], { expect: 5 }), 'EIO', 'umask: umask returned 18, not 5'],
  ['a system call that is unknown', call('reboot', []), 'ENOSYS', 'system call reboot'],
  [
    'a system call that is unknown, where failure may be',
    call('reboot', [], { failure: 'warn' }),
    'ENOSYS',
    'system call reboot',
  ],
  ['memory of the executor', call('munmap', [0x1000_2000n, 4096]), 'EFAULT', 'munmap'],
] as const)('a plan ends at %s', ([, step, code, sentence]) => {
  const { act, kernel } = run(planOf([map, step]));
  const error = caught(act);
  expect(error).toMatchObject({ code, position: from.position });
  expect(error.sentence).toContain(sentence);
  expect(kernel.machine.processes.size).toBe(0);
});

test('what may fail is told once, and what depends on it is passed over', () => {
  const steps = [
    call('openat', [-100, { blob: Uint8Array.of(0x2f, 0x78, 0) }, 0], { failure: 'warn' }),
    call('fchdir', [{ result: 'openat' }], { failure: 'warn' }),
  ];
  expect(run(planOf(steps)).act().warnings).toEqual(['openat: ENOENT']);
});

test('rooms keep what calls leave in them', () => {
  const room = { room: 'pair', size: 8 };
  const expectRoom = (bytes: number[]) => ({
    expectRoom: { room: 'pair', offset: 4, bytes: Uint8Array.from(bytes) },
  });
  const steps = (bytes: number[]) => [
    call('pipe2', [room, 0], expectRoom(bytes)),
    call('dup3', [{ word: 'pair', index: 1 }, 9, 0], { expect: 9 }),
  ];
  const { act, kernel } = run(planOf(steps([1, 0, 0, 0])));
  act();
  expect(kernel.process(pid).table.numbers).toEqual([0, 1, 9]);
  expect(caught(run(planOf(steps([7]))).act)).toMatchObject({ code: 'ESTALE' });
});

test('pages go into memory that can be written, and into files', () => {
  const load = (to: Extract<Step, { op: 'load' }>['to'], length = 5000): Step => ({
    ...{ op: 'load', id: 'load', on: pid, from, to, length, index: 0 },
  });
  expect(caught(run(planOf([load({ address: at }, 4096)])).act)).toMatchObject({ code: 'EFAULT' });
  const name = { blob: Uint8Array.of(0x78, 0) };
  const file = [
    call('memfd_create', [name, 0]),
    load({ fd: { result: 'memfd_create' }, offset: 10n }),
  ];
  const { act, kernel } = run(planOf(file));
  act();
  const { object } = kernel.process(pid).table.at(0).file;
  expect(object.stat().size).toBe(5010n);
  expect(object.readAt?.(4105n, 2)).toEqual(Uint8Array.of(1, 2));
});

test('a thread that was in a sleep needs one to go on with', () => {
  const registers = new Uint8Array(216);
  new DataView(registers.buffer).setBigInt64(80, -516n, true);
  expect(caught(run(planOf([], [resume(pid, { registers })])).act)).toMatchObject({
    code: 'EINVAL',
  });
  const blob = Uint8Array.from({ length: 16 }, (_, index) => (index === 0 ? 3 : 0));
  const sleep = { call: 'nanosleep', args: [{ blob }, at] };
  const { act, kernel } = run(planOf([map], [resume(pid, { registers, sleep })]));
  act();
  expect(kernel.process(pid).space.read(at, 16)).toEqual(blob);
});

test('a leader that exits stays as a zombie; nobody else does', () => {
  const second = pid + 1;
  const plan = (died: number, goes: number): Plan => {
    const die: DieStep = {
      ...{ op: 'die', id: 'die', on: died, from, status: 0x700 },
      pendingShared: [new Uint8Array(128)],
    };
    const spawn: Step = { op: 'spawn', id: 'two', on: pid, from, kind: 'thread', pid: second };
    const meet: Step = {
      ...{ op: 'meet', id: 'm', on: pid, from, barrier: 'r', parties: [pid, second] },
    };
    return { ...planOf([spawn, meet, die], [resume(goes)]) };
  };
  const withoutLast = ({ steps, ...rest }: Plan): Plan => ({
    ...rest,
    steps: steps.filter(({ id }) => id !== 'meet'),
  });
  const { act, kernel } = run(withoutLast(plan(pid, second)));
  act();
  const frozen = kernel.freeze(pid);
  const [task] = frozen.tasks;
  expect(task).toMatchObject({ pid, threads: [{ tid: second }], exited: { status: 0x700 } });
  expect(task === undefined ? [] : frozen.pendingShared(task)).toHaveLength(1);
  expect(caught(run(withoutLast(plan(second, pid))).act)).toMatchObject({ code: 'EINVAL' });
});

test('a step that is to fail leaves nothing behind', () => {
  const { act, kernel } = run(planOf([map]), {
    fault: ({ op }) => (op === 'resume' ? 'EIO' : undefined),
  });
  expect(caught(act)).toMatchObject({ code: 'EIO' });
  expect(kernel.machine.processes.size).toBe(0);
});

test('the end of a process is waited for', async () => {
  const { act, kernel } = run(planOf([]));
  const waiting = act().wait();
  kernel.freeze(pid).kill();
  expect(await waiting).toBe(9);
  expect(caught(() => kernel.freeze(pid))).toMatchObject({ code: 'ESRCH' });
});

test('an image of revision 3 comes back as a process that pauses', () => {
  const host = new FakeHost();
  const file = new MemoryFile();
  createEngine(host, { revision: 3 }).checkpoint(4242, file);
  file.rewind();
  const kernel = new ModelKernel(system);
  const engine = createEngine({
    ...{ resources: [], system: () => system, freeze: () => kernel.freeze(0) },
    ...{ run: (plan, _image, pages) => kernel.run(plan, pages), stat: () => undefined },
    holder: () => undefined,
  });
  const { running } = engine.restart(0, file);
  const process = kernel.process(running.pid);
  expect(new TextDecoder().decode(process.name)).toBe('a (name)');
  expect(process.space.read(0x40_0000n, 2)).toEqual(Uint8Array.of(0xb8, 0x22));
});

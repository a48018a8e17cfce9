import { CKPT_HDR_STRING, Fs, PosixTimer, ProcessTask, Tree, dumpableModes } from '@ckpt/format';
import { encodeText } from '@ckpt/io';
import { expect, test } from 'vitest';
import {
  checkpointScope,
  fileStat,
  made,
  pid,
  restoreScope,
  thrown,
  type FakeProcess,
} from '../testing/fake-scope.ts';
import { fs } from './fs.ts';
import { task } from './task.ts';
import { timers } from './timers.ts';

const stat = (state = 'S', name = 'a'): string =>
  `${pid} (${name}) ${state} 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 99 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 17 ` +
  '0 0 0 0 0 0 0 0 0 0 0 0 0 0';

const word = (value: number): Uint8Array => Uint8Array.of(value, 0, 0, 0);
/** Dumpable, subreaper, huge pages, memory failures, TSC, cpuid, flusher, MDWE, merge, address. */
const answers = [
  { result: 1n },
  { out: [word(0)] },
  { result: 0n },
  { result: 2n },
  { out: [word(1)] },
  { result: 1n },
  { result: -1n },
  { result: 0n },
  { result: 0n },
  { out: [new Uint8Array(8).fill(1)] },
];

const process = (more: FakeProcess = {}): FakeProcess => ({
  answers,
  ...more,
  link: { root: '/', 'ns/net': 'net:[1]', ...more.link },
  read: {
    stat: stat(),
    status: 'Seccomp:\t0\n',
    personality: '00040000\n',
    oom_score_adj: '-500\n',
    [`task/${pid}/comm`]: 'a\n',
    ...more.read,
  },
});

const self = (namespaces: Readonly<Record<string, string>>) => ({
  self: { namespaces, status: new Uint8Array(0), limits: new Uint8Array(0) },
});

test('a task is recorded with its settings', () => {
  const scope = checkpointScope(process({ system: self({ net: 'net:[1]' }), stopped: true }));
  task.checkpoint(scope);
  expect(scope.obstacles).toEqual([]);
  expect(scope.values(ProcessTask)).toMatchObject([
    {
      ...{ pid, state: 4, stopped: 19, exit_signal: 17, clear_child_tid: 0x101010101010101n },
      ...{ personality: 0x40000, oom_score_adj: -500, dumpable: 1, mce_kill: 2 },
    },
  ]);
  expect(scope.emitted[0]?.following).toEqual([encodeText(`a${'\0'.repeat(15)}`)]);
});

test.for([
  ['another namespace', { system: self({ net: 'net:[2]' }) }, 'network namespace'],
  ['a seccomp filter', { read: { status: 'Seccomp:\t2\n' } }, `process ${pid} (a)`],
  ['a dead leader', { read: { stat: stat('Z') } }, `process ${pid} (a)`],
  ['a root of its own', { link: { root: '/srv' } }, 'root directory /srv'],
  [
    'a forbidden time stamp counter',
    { answers: answers.with(4, { out: [word(2)] }) },
    `process ${pid}`,
  ],
  ['a forbidden cpuid', { answers: answers.with(5, { result: 0n }) }, `process ${pid}`],
  ['an I/O flusher', { answers: answers.with(6, { result: 1n }) }, `process ${pid}`],
  ['no executable memory', { answers: answers.with(7, { result: 1n }) }, `process ${pid}`],
] as const)('%s is refused', ([, more, thing]) => {
  const scope = checkpointScope(process(more));
  task.checkpoint(scope);
  expect(scope.obstacles).toMatchObject([{ thing }]);
  expect(scope.obstacles[0]?.remedy).not.toBe('');
});

test('children are refused one by one, the dead ones too', () => {
  const read = {
    [`task/${pid}/children`]: '4301 4302 ',
    '../4301/stat': stat('S', 'sleep (1)'),
    '../4302/stat': stat('Z', 'cat'),
  };
  const scope = checkpointScope(process({ read }));
  task.checkpoint(scope);
  expect(scope.obstacles.map(({ thing, reason }) => [thing, reason])).toEqual([
    ['child 4301 (sleep (1))', 'one process is checkpointed, and this is another'],
    ['child 4302 (cat)', 'it has ended, and its parent has not waited for it'],
  ]);
});

const zeros = Object.fromEntries(
  ProcessTask.fields.map(({ name, field }) => [name, field.type === 'u64' ? 0n : 0]),
) as unknown as ProcessTask;

function image(more: Partial<ProcessTask> = {}, ids: { pgid?: number; sid?: number } = {}) {
  const value = { ...zeros, pid, mce_kill: 2, dumpable: 1, ...more };
  const leader = {
    ...{ tid: pid, tgid: pid, ppid: 1, pgid: 1, sid: 1, creator: 0, depth: 0, flags: 0 },
    ...ids,
  };
  return restoreScope([
    made(Tree, { tasks: 1, threads: 1 }, { arrays: [[leader]] }),
    made(ProcessTask, value, { bytes: { [CKPT_HDR_STRING]: new Uint8Array(16) } }),
  ]);
}

test.for([
  ['session', { sid: pid, pgid: pid }, 'setsid', 0],
  ['process group', { pgid: pid }, 'setpgid', 1],
  ['nothing', {}, 'personality', 1],
] as const)('who led a %s does so again', ([, ids, call, notes]) => {
  const scope = image({}, ids);
  task.restore(scope);
  expect(scope.calls('process')[0]?.call).toBe(call);
  expect(scope.notes.length).toBe(notes);
});

test('settings are set again, and what is usual is left alone', () => {
  const prctls = (more: Partial<ProcessTask>) => {
    const scope = image(more);
    task.restore(scope);
    return scope
      .calls()
      .filter(({ call }) => call === 'prctl')
      .map(({ args }) => args);
  };
  expect(prctls({})).toEqual([[4, 1, 0, 0, 0]]);
  expect(
    prctls({ child_subreaper: 1, thp_disable: 3, mce_kill: 1, dumpable: dumpableModes.root }),
  ).toEqual([
    [36, 1, 0, 0, 0],
    [41, 1, 2, 0, 0],
    [33, 1, 1, 0, 0],
    [4, 0, 0, 0, 0],
  ]);
});

test('the score for the end of memory is written with the rights of the invoker', () => {
  const scope = image({ oom_score_adj: -17 });
  task.restore(scope);
  expect(scope.calls('rights').map(({ call, failure }) => [call, failure])).toEqual([
    ['openat', 'fatal'],
    ['write', 'warn'],
    ['close', 'fatal'],
  ]);
  expect(scope.calls('rights')[1]?.args[1]).toEqual({ blob: encodeText('-17') });
});

test.for([
  ['pid', { pid: 1 }],
  ['oom_score_adj', { oom_score_adj: 1001 }],
  ['personality', { personality: 0xffff_ffff }],
  ['thp_disable', { thp_disable: 4 }],
] as const)('a wrong %s is refused', ([field, more]) => {
  const error = thrown(() => {
    task.restore(image(more));
  });
  expect(error).toMatchObject({ code: 'EINVAL', field, path: ['TASK'] });
});

test('a working directory that was deleted is refused', () => {
  const scope = checkpointScope({
    link: { cwd: '/tmp/a (deleted)' },
    stat: { cwd: fileStat({ mode: 0o040755, nlink: 0 }) },
    read: { status: 'Umask:\t0022\n' },
  });
  fs.checkpoint(scope);
  expect(scope.obstacles).toMatchObject([
    {
      thing: 'working directory: /tmp/a (deleted)',
      reason: 'it was deleted',
      remedy: 'start the program anew with a directory that stays',
    },
  ]);
});

test.for([
  ['umask', { umask: 0o1000 }],
  ['root', { root: 3 }],
] as const)('a wrong %s is refused', ([field, more]) => {
  const value = { objref: 1, umask: 0, cwd: 2, root: 0, ...more };
  const error = thrown(() => {
    fs.restore(restoreScope([made(Fs, value)]));
  });
  expect(error).toMatchObject({ field, path: ['FS'] });
});

const timer = (more: Partial<PosixTimer> = {}): PosixTimer => ({
  ...{ id: 0, clock: 1, notify: 0, signal: 14, tid: 0, overrun: 0, value: 5n },
  ...{ interval: 1_000_000_001n, remaining: 2_000_000_002n, ...more },
});

test('timers are recorded with the time that is left', () => {
  const spec = new Uint8Array(32);
  for (const [index, value] of [1, 2, 3, 4].entries()) spec[index * 8] = value;
  const read = {
    timers: 'ID: 3\nsignal: 10/0000000000000005\nnotify: signal/tid.4300\nClockID: 7\n',
  };
  const frozen: FakeProcess['frozen'] = {
    ask: () => [
      { result: 0n, out: [spec] },
      { result: 6n, out: [] },
    ],
  };
  const scope = checkpointScope({ read, frozen });
  timers.checkpoint(scope);
  expect(scope.values(PosixTimer)).toEqual([
    {
      ...{ id: 3, clock: 7, notify: 4, signal: 10, tid: 4300, overrun: 6, value: 5n },
      ...{ interval: 1_000_000_002n, remaining: 3_000_000_004n },
    },
  ]);
});

const names = (scope: ReturnType<typeof restoreScope>): string[] =>
  scope.calls('last').map(({ call, args }) => `${call} ${Number(args[0])}`);

test('timers get their numbers, where those can be chosen', () => {
  const scope = restoreScope([made(PosixTimer, timer({ id: 9 })), made(PosixTimer, timer())]);
  timers.restore(scope);
  expect(names(scope)).toEqual([
    'prctl 77',
    'timer_create 1',
    'timer_settime 0',
    'timer_create 1',
    'timer_settime 9',
    'prctl 77',
  ]);
});

test('timers are counted up to their numbers, where those cannot be chosen', () => {
  const records = [made(PosixTimer, timer({ id: 2, remaining: 0n }))];
  const scope = restoreScope(records, { system: { kernel: [6, 1, 0] } });
  timers.restore(scope);
  expect(names(scope)).toEqual([
    'timer_create 1',
    'timer_delete 0',
    'timer_create 1',
    'timer_delete 1',
    'timer_create 1',
  ]);
});

test.for([
  ['two timers of one number', [timer(), timer()], 'EINVAL'],
  ['a negative number', [timer({ id: -1 })], 'EINVAL'],
  ['a time without end', [timer({ remaining: 1n << 63n })], 'EINVAL'],
  ['a number out of reach', [timer({ id: 1 << 20 })], 'ENOSYS'],
] as const)('%s is refused', ([, values, errno]) => {
  const records = values.map((value) => made(PosixTimer, value));
  const error = thrown(() => {
    timers.restore(restoreScope(records, { system: { kernel: [6, 1, 0] } }));
  });
  expect(error).toMatchObject({ code: errno, field: 'id' });
});

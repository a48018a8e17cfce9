import type { Answer, ThreadState } from '@ckpt/engine';
import {
  CKPT_HDR_BUFFER,
  CKPT_HDR_CPU_FPU,
  CKPT_HDR_STRING,
  Cpu,
  HeaderArch,
  ProcessTask,
  Sigpending,
  Thread,
  Tree,
  TreeThread,
  schedPolicies,
} from '@ckpt/format';
import { encodeText } from '@ckpt/io';
import { expect, test } from 'vitest';
import {
  checkpointScope,
  made,
  pid,
  restoreScope,
  thrown,
  type FakeProcess,
} from '../testing/fake-scope.ts';
import { cpuOf } from './cpu.ts';
import { thread } from './thread.ts';

const xstate = new Uint8Array(2696);
const plain = {
  cs: 0x33n,
  ss: 0x2bn,
  ds: 0n,
  es: 0n,
  fs: 0n,
  gs: 0n,
  eflags: 0x246n,
  rip: 0x401000n,
};
const cpu = (tid: number): Cpu => ({ ...cpuOf(tid, new Uint8Array(216)), ...plain });

const state: ThreadState = {
  registers: Cpu.encode(cpu(0)).subarray(16),
  xstate,
  signalMask: 0x8000n,
  rseq: { address: 0x7000n, size: 32, signature: 0x53053053, flags: 0, criticalSection: 0x8000n },
  robustList: { head: 0x9000n, length: 24 },
  pending: [],
};

const words = (size: number, ...at: (readonly [offset: number, value: bigint])[]): Uint8Array => {
  const bytes = new Uint8Array(size);
  for (const [offset, value] of at) new DataView(bytes.buffer).setBigUint64(offset, value, true);
  return bytes;
};

/** In the order of the questions: stack, tid address, death signal, slack, I/O, scheduling. */
const answers: readonly Partial<Answer>[] = [
  { out: [words(24, [0, 0x1000n], [16, 0x4000n])] },
  { out: [words(8, [0, 0xabc0n])] },
  { out: [Uint8Array.of(15, 0, 0, 0)] },
  { result: 50000n },
  { result: 0x4004n },
  { out: [words(48, [0, 48n | (2n << 32n)], [8, 1n], [16, 7n << 32n])] },
];

const process = (more: FakeProcess = {}): FakeProcess => ({
  answers,
  tids: [pid, 4300],
  frozen: { thread: () => state },
  ...more,
  read: {
    [`task/${pid}/comm`]: 'a\nb\n',
    [`task/${pid}/status`]: 'NoNewPrivs:\t1\nCpus_allowed:\t3\n',
    'task/4300/comm': 'sixteen characters\n',
    'task/4300/status': 'Cpus_allowed:\t1\n',
    ...more.read,
  },
});

const self = {
  namespaces: {},
  limits: new Uint8Array(0),
  status: encodeText('Cpus_allowed:\t3\n'),
};

test('a thread is recorded with all that is its own', () => {
  const scope = checkpointScope(process({ system: { self } }));
  thread.checkpoint(scope);
  expect(scope.obstacles).toEqual([]);
  const [first, second] = scope.values(Thread);
  expect(first).toMatchObject({
    ...{ tid: pid, comm: encodeText(`a\nb${'\0'.repeat(13)}`), clear_child_tid: 0xabc0n },
    ...{ robust_list: 0x9000n, rseq: 0x7000n, rseq_cs: 0x8000n, signal_mask: 0x8000n },
    ...{ altstack: 0x1000n, altstack_size: 0x4000n, altstack_flags: 0, parent_death_signal: 15 },
    ...{ timer_slack: 50000n, io_priority: 0x4004, policy: schedPolicies.RR, sched_flags: 1 },
    ...{ priority: 7, nice: 0, no_new_privs: 1 },
  });
  expect(second).toMatchObject({ tid: 4300, no_new_privs: 0 });
  expect(second?.comm).toEqual(encodeText('sixteen charact\0'));
  expect(scope.values(Cpu)).toMatchObject([{ tid: pid, rip: 0x401000n }, { tid: 4300 }]);
});

test('processors are recorded where they are not those of the checkpointer', () => {
  const scope = checkpointScope(process({ system: { self } }));
  thread.checkpoint(scope);
  const masks = scope.emitted.filter(({ type }) => type === Thread.type);
  expect(masks.map(({ following }) => following)).toEqual([
    [],
    [Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0)],
  ]);
});

test.for([
  [
    'SCHED_DEADLINE',
    5,
    { out: [words(48, [0, 48n | (6n << 32n)])] },
    'it runs under SCHED_DEADLINE',
  ],
  [
    'a kernel that does not tell',
    1,
    { result: -22n },
    'this kernel does not tell set_tid_address(2) (CONFIG_CHECKPOINT_RESTORE)',
  ],
] as const)('%s is refused', ([, index, answer, reason]) => {
  const scope = checkpointScope(process({ tids: [pid], answers: answers.with(index, answer) }));
  thread.checkpoint(scope);
  expect(scope.obstacles).toMatchObject([{ thing: `thread ${pid}`, reason }]);
});

test('a shadow stack is refused', () => {
  const read = { [`task/${pid}/status`]: 'x86_Thread_features:\tshstk\n' };
  const scope = checkpointScope(process({ tids: [pid], read }));
  thread.checkpoint(scope);
  expect(scope.obstacles).toMatchObject([{ reason: 'it has a shadow stack' }]);
});

/** A value of a record in which every field is zero. */
function zeros(record: { fields: readonly { name: string; field: { type: string } }[] }): unknown {
  return Object.fromEntries(
    record.fields.map(({ name, field }) => [
      name,
      field.type === 'bytes' ? new Uint8Array(16) : field.type.endsWith('64') ? 0n : 0,
    ]),
  );
}

const leaf = (tid: number): TreeThread => ({
  ...{ tid, tgid: pid, ppid: 1, pgid: 1, sid: 1, creator: 0, depth: 0, flags: 0 },
});

interface Parts {
  readonly value?: Partial<Thread>;
  readonly cpus?: readonly number[];
  readonly threads?: readonly number[];
  readonly tree?: readonly number[];
  readonly stopped?: number;
  readonly affinity?: Uint8Array;
  /** Which thread has exited, with which status. */
  readonly exited?: readonly [tid: number, status: number];
}

function image({
  value,
  cpus = [pid],
  threads = [pid],
  tree = [pid],
  stopped = 0,
  affinity,
  exited: [gone, status] = [0, 0],
}: Parts) {
  const end = (tid: number) => (tid === gone ? { flags: 1, exit_status: status } : {});
  const task = { ...(zeros(ProcessTask) as ProcessTask), pid, stopped };
  return restoreScope([
    made(
      HeaderArch,
      { isa: 2, xstate_size: 2696, xfeatures: 0n, vdso_hash: 0, vdso_size: 0 },
      { arrays: [[]] },
    ),
    made(Tree, { tasks: 1, threads: tree.length }, { arrays: [tree.map(leaf)] }),
    made(ProcessTask, task, { bytes: { [CKPT_HDR_STRING]: new Uint8Array(16) } }),
    ...threads.map((tid) =>
      made(
        Thread,
        { ...(zeros(Thread) as Thread), altstack_flags: 2, ...value, ...end(tid), tid },
        { bytes: affinity === undefined ? {} : { [CKPT_HDR_BUFFER]: affinity } },
      ),
    ),
    ...cpus.map((tid) => made(Cpu, cpu(tid), { bytes: { [CKPT_HDR_CPU_FPU]: xstate } })),
    made(
      Sigpending,
      { tid: 0, _pad: 0 },
      { arrays: [[{ signo: 10, errno: 0, code: 0, rest: new Uint8Array(116) }]] },
    ),
  ]);
}

const callsOf = (scope: ReturnType<typeof image>) =>
  scope.calls().map(({ call, args, on }) => [on, call, ...args]);

test('a plain thread gets what every thread has, on itself', () => {
  const scope = image({ threads: [pid, 4300], cpus: [pid, 4300], tree: [pid, 4300] });
  thread.restore(scope);
  const names = scope.calls('thread').map(({ on, call }) => [on, call]);
  expect(names.filter(([on]) => on === 4300)).toEqual([
    [4300, 'set_tid_address'],
    [4300, 'prctl'],
    [4300, 'sched_setattr'],
  ]);
  const resumes = scope.steps.filter(({ op }) => op === 'resume');
  expect(resumes).toMatchObject([
    { on: pid, section: 'last', stopped: false, words: [], pending: [] },
    { on: 4300, pendingShared: [] },
  ]);
  expect(resumes[0]).toHaveProperty('pendingShared.length', 1);
});

test('a leader that has exited keeps its name and its status, and ends before others go', () => {
  const scope = checkpointScope(process({ system: { self }, tids: [4300] }));
  const task = { ...scope.task, exited: { status: 0x700 } };
  thread.checkpoint({ ...scope, task });
  expect(scope.values(Thread)).toMatchObject([
    { tid: pid, flags: 1, exit_status: 0x700, comm: encodeText(`a\nb${'\0'.repeat(13)}`) },
    { tid: 4300, flags: 0 },
  ]);
  const both = [pid, 4300];
  const restored = image({ threads: both, tree: both, cpus: [4300], exited: [pid, 0x700] });
  thread.restore(restored);
  expect(restored.calls().filter(({ on }) => on === pid)).toMatchObject([{ call: 'prctl' }]);
  const ends = restored.steps.filter(({ op }) => op === 'die' || op === 'resume');
  expect(ends).toMatchObject([
    { op: 'die', on: pid, status: 0x700 },
    { op: 'resume', on: 4300, pendingShared: [] },
  ]);
  expect(ends[0]).toHaveProperty('pendingShared.length', 1);
});

test('what a thread had is given again', () => {
  const scope = image({
    value: {
      ...{ robust_list: 5n, robust_list_length: 24n, rseq: 0x7000n, rseq_size: 32 },
      ...{ rseq_signature: 9, rseq_cs: 0x8000n, altstack_flags: 1, altstack: 0x1000n },
      ...{ altstack_size: 0x4000n, timer_slack: 7n, policy: 2, priority: 7, io_priority: 5 },
      ...{ parent_death_signal: 15, no_new_privs: 1 },
    },
    affinity: new Uint8Array(8).fill(1),
    stopped: 19,
  });
  thread.restore(scope);
  const calls = callsOf(scope);
  const stack = words(24, [0, 0x1000n], [16, 0x4000n]);
  expect(calls).toContainEqual([pid, 'set_robust_list', 5n, 24n]);
  expect(calls).toContainEqual([pid, 'sigaltstack', { blob: stack }, 0]);
  expect(calls).toContainEqual([pid, 'rseq', 0x7000n, 32, 0, 9]);
  expect(calls).toContainEqual([pid, 'prctl', 29, 7n, 0, 0, 0]);
  expect(calls).toContainEqual([pid, 'ioprio_set', 1, 0, 5]);
  expect(calls).toContainEqual([
    pid,
    'sched_setaffinity',
    0,
    8,
    { blob: new Uint8Array(8).fill(1) },
  ]);
  expect(scope.calls('last').map(({ args }) => args[0])).toEqual([38, 1]);
  const scheduling = scope.calls().find(({ call }) => call === 'sched_setattr');
  expect(scheduling?.failure).toBe('fatal');
  expect(scope.steps.find(({ op }) => op === 'resume')).toMatchObject({
    stopped: true,
    words: [{ address: 0x7008n, value: 0x8000n }],
  });
});

test.for([
  ['a thread without registers', { cpus: [] }, 'EINVAL', 'tid'],
  ['a thread with two sets of registers', { cpus: [pid, pid] }, 'EINVAL', 'tid'],
  [
    'a thread that is not in the tree',
    { threads: [pid, 4300], cpus: [pid, 4300] },
    'EINVAL',
    'threads',
  ],
  ['a thread that the tree alone knows', { tree: [pid, 4300] }, 'EINVAL', 'tid'],
  ['SCHED_DEADLINE', { value: { policy: 6 } }, 'ENOSYS', 'policy'],
  ['the only thread, which has exited', { exited: [pid, 0] }, 'EINVAL', 'flags'],
  [
    'a status that no thread exits with alone',
    { threads: [pid, 4300], tree: [pid, 4300], cpus: [4300], exited: [pid, 9] },
    'EINVAL',
    'exit_status',
  ],
  [
    'a thread that has exited and is no leader',
    { threads: [pid, 4300], tree: [pid, 4300], exited: [4300, 0] },
    'EINVAL',
    'flags',
  ],
  [
    'a stopped process without its leader',
    { threads: [pid, 4300], tree: [pid, 4300], cpus: [4300], exited: [pid, 0], stopped: 19 },
    'ENOSYS',
    'flags',
  ],
  ['an rseq area of the kernel', { value: { rseq: 1n << 63n } }, 'EINVAL', 'rseq'],
  ['an affinity mask of 3 bytes', { affinity: new Uint8Array(3) }, 'EINVAL', 'affinity'],
] as const)('%s is refused', ([, parts, errno, field]) => {
  const error = thrown(() => {
    thread.restore(image(parts));
  });
  expect(error).toMatchObject({ code: errno, field });
});

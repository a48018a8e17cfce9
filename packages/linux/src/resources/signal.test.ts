import { Rlimit, Sigaction, Sighand, Siginfo, Signal, Sigpending } from '@ckpt/format';
import { encodeText } from '@ckpt/io';
import { expect, test } from 'vitest';
import { limitNames, unlimited, type Limit } from '../procfs/limits.ts';
import { checkpointScope, made, pid, restoreScope, thrown } from '../testing/fake-scope.ts';
import { pendingOf, signalPending } from './signal-pending.ts';
import { sighand } from './sighand.ts';
import { signal } from './signal.ts';

const actions = Array.from({ length: 64 }, (_, index) => ({
  ...{ handler: BigInt(index), flags: 0x4000000n, restorer: 0x401000n, mask: 1n << 63n },
}));

test('dispositions are set again as they were, but for those that nobody can set', () => {
  const answers = actions.map((action) => ({ out: [Sigaction.encode(action)] }));
  const taken = checkpointScope({ answers });
  sighand.checkpoint(taken);
  expect(taken.emitted[0]?.following).toEqual([actions]);
  const scope = restoreScope([made(Sighand, { objref: 1, _pad: 0 }, { arrays: [actions] })]);
  sighand.restore(scope);
  const calls = scope.calls('process');
  expect(calls.map(({ args }) => args[0])).toEqual(
    Array.from({ length: 64 }, (_, index) => index + 1).filter((n) => n !== 9 && n !== 19),
  );
  expect(calls[1]?.args).toEqual([
    2,
    { blob: Sigaction.encode({ ...actions[1] } as Sigaction) },
    0,
    8,
  ]);
});

test('63 dispositions are refused', () => {
  const arrays = [actions.slice(1)];
  const scope = restoreScope([made(Sighand, { objref: 1, _pad: 0 }, { arrays })]);
  expect(
    thrown(() => {
      sighand.restore(scope);
    }),
  ).toMatchObject({ code: 'EINVAL', path: ['SIGHAND'] });
});

const info = (signo: number): Siginfo => ({
  ...{ signo, errno: 0, code: -1, rest: new Uint8Array(116).fill(signo) },
});

test('pending signals keep their owner and their order', () => {
  const bytes = (signo: number): Uint8Array => Siginfo.encode(info(signo));
  const taken = checkpointScope({
    tids: [pid, 4300],
    frozen: {
      pendingShared: () => [bytes(10), bytes(12)],
      thread: ((_: unknown, { tid }: { tid: number }) => ({
        pending: tid === pid ? [] : [bytes(34), bytes(34)],
      })) as never,
    },
  });
  signalPending.checkpoint(taken);
  expect(taken.emitted.map(({ value, following }) => [value, following.length])).toEqual([
    [{ tid: 0, _pad: 0 }, 1],
    [{ tid: 4300, _pad: 0 }, 1],
  ]);
  const scope = restoreScope([
    made(Sigpending, { tid: 0, _pad: 0 }, { arrays: [[info(10), info(12)]] }),
    made(Sigpending, { tid: 4300, _pad: 0 }, { arrays: [[info(34), info(34)]] }),
  ]);
  expect(pendingOf(scope, 0)).toEqual([bytes(10), bytes(12)]);
  expect(pendingOf(scope, 4300)).toEqual([bytes(34), bytes(34)]);
  expect(pendingOf(scope, pid)).toEqual([]);
});

test.for([0, 65])('signal %d is none', (signo) => {
  const scope = restoreScope([made(Sigpending, { tid: 0, _pad: 0 }, { arrays: [[info(signo)]] })]);
  const error = thrown(() => {
    signalPending.restore(scope);
  });
  expect(error).toMatchObject({ code: 'EINVAL', field: 'signo' });
});

const timers = {
  ...{ real_interval: 0n, real_value: 0n, virtual_interval: 0n, virtual_value: 0n },
  ...{ prof_interval: 0n, prof_value: 0n },
};

/** Limits that are all alike, but for some. */
function limitsOf(more: Readonly<Record<number, Limit>> = {}): Limit[] {
  return limitNames.map((_, index) => more[index] ?? { soft: 1000n, hard: 2000n });
}

/** /proc/PID/limits of them. */
const limitText = (limits: readonly Limit[]): Uint8Array =>
  encodeText(
    limits
      .map(({ soft, hard }, index) => {
        const name = `Max ${limitNames[index]?.[0] ?? ''}`.padEnd(26);
        const show = (amount: bigint): string =>
          (amount === unlimited ? 'unlimited' : amount.toString()).padEnd(21);
        return `${name}${show(soft)}${show(hard)}units`;
      })
      .join('\n'),
  );

const image = (limits: readonly Limit[], more: Partial<Signal> = {}) =>
  made(Signal, { objref: 1, _pad: 0, ...timers, ...more }, { arrays: [limits] });

const self = (limits: readonly Limit[], capabilities = '0') => ({
  self: {
    namespaces: {},
    limits: limitText(limits),
    status: encodeText(`CapEff:\t${capabilities}\n`),
  },
});

const rlimit = (soft: bigint, hard: bigint): Uint8Array => Rlimit.encode({ soft, hard });

test('interval timers go on with the time that is left', () => {
  const itimer = (...words: number[]): Uint8Array => {
    const bytes = new Uint8Array(32);
    const view = new DataView(bytes.buffer);
    for (const [index, value] of words.entries()) view.setBigInt64(index * 8, BigInt(value), true);
    return bytes;
  };
  const answers = [{ out: [itimer(1, 2, 3, 4)] }, { out: [itimer(5, 6, 0, 0)] }, {}];
  const taken = checkpointScope({ answers, read: { limits: limitText(limitsOf()) } });
  signal.checkpoint(taken);
  expect(taken.values(Signal)).toMatchObject([
    { real_interval: 1_000_002n, real_value: 3_000_004n, virtual_value: 0n, prof_value: 0n },
  ]);
  expect(taken.emitted[0]?.following).toEqual([limitsOf()]);
  const value = { real_interval: 1_000_002n, real_value: 3_000_004n };
  const scope = restoreScope([image(limitsOf(), value)], { system: self(limitsOf()) });
  signal.restore(scope);
  expect(scope.calls().filter(({ call }) => call === 'setitimer')).toMatchObject([
    { call: 'setitimer', args: [0, { blob: itimer(1, 2, 3, 4) }, 0], section: 'last' },
  ]);
});

test('limits that cannot be read are refused', () => {
  const scope = checkpointScope({ read: { limits: 'nothing' } });
  signal.checkpoint(scope);
  expect(scope.obstacles.length).toBe(1);
});

test('limits are raised while there is work to do, and set at the end', () => {
  const own = limitsOf({ 7: { soft: 1024n, hard: 4096n } });
  const limits = limitsOf({ 7: { soft: 100n, hard: 200n }, 0: { soft: 5n, hard: 6n } });
  const scope = restoreScope([image(limits)], { system: self(own) });
  signal.restore(scope);
  const sets = (section: 'rights' | 'last') =>
    scope.calls(section).map(({ args }) => [args[1], args[2]]);
  expect(sets('rights')).toContainEqual([7, { blob: rlimit(4096n, 4096n) }]);
  expect(sets('last')).toContainEqual([7, { blob: rlimit(100n, 200n) }]);
  expect(sets('last')).toContainEqual([0, { blob: rlimit(5n, 6n) }]);
  expect(sets('last')).not.toContainEqual([4, expect.anything()]);
  expect(scope.notes).toEqual([]);
});

test('what the invoker may not give is cut, and said', () => {
  const limits = limitsOf({ 7: { soft: 5000n, hard: unlimited } });
  const scope = restoreScope([image(limits)], { system: self(limitsOf()) });
  signal.restore(scope);
  expect(scope.calls('last').at(-1)?.args).toEqual([0, 9, expect.anything(), 0]);
  expect(scope.calls('last').map(({ args }) => args)).toContainEqual([
    0,
    7,
    { blob: rlimit(2000n, 2000n) },
    0,
  ]);
  expect(scope.notes).toEqual([
    'RLIMIT_NOFILE was 5000, at most unlimited, and is 2000, at most 2000: more needs CAP_SYS_RESOURCE',
  ]);
});

test('who may, raises', () => {
  const limits = limitsOf({ 7: { soft: 5000n, hard: unlimited } });
  const scope = restoreScope([image(limits)], { system: self(limitsOf(), '1000000') });
  signal.restore(scope);
  const last = scope.calls('last').find(({ args }) => args[1] === 7);
  expect(last?.args[2]).toEqual({ blob: rlimit(5000n, unlimited) });
  expect(scope.notes).toEqual([]);
});

test.for([
  ['soft', limitsOf({ 3: { soft: 2n, hard: 1n } }), {}],
  ['count', limitsOf().slice(1), {}],
  ['real_value', limitsOf(), { real_value: 1n << 62n }],
] as const)('a wrong %s is refused', ([field, limits, more]) => {
  const error = thrown(() => {
    signal.restore(restoreScope([image(limits, more)]));
  });
  expect(error).toMatchObject({ code: 'EINVAL', field, path: ['SIGNAL'] });
});

import { Cred, Tree } from '@ckpt/format';
import { encodeText } from '@ckpt/io';
import { expect, test } from 'vitest';
import { checkpointScope, made, pid, restoreScope, thrown } from '../testing/fake-scope.ts';
import { cred } from './cred.ts';
import { rights } from './cred-rights.ts';

const all = 0x1ff_ffff_ffffn;

interface Status {
  readonly uid?: number;
  readonly groups?: string;
  readonly effective?: bigint;
  readonly bounding?: bigint;
}

/** Text of status. */
function status({ uid = 0, groups = '', effective = all, bounding = all }: Status = {}): string {
  const ids = Array.from({ length: 4 }, () => uid).join('\t');
  const set = (value: bigint): string => value.toString(16).padStart(16, '0');
  return (
    `Uid:\t${ids}\nGid:\t${ids}\nGroups:\t${groups}\nCapInh:\t0\nCapPrm:\t${set(effective)}\n` +
    `CapEff:\t${set(effective)}\nCapBnd:\t${set(bounding)}\nCapAmb:\t0\n`
  );
}

const system = (own: Status) => ({
  self: { namespaces: {}, limits: new Uint8Array(0), status: encodeText(status(own)) },
});

test('credentials are recorded', () => {
  const text = status({ uid: 7, groups: '8 9', effective: 3n });
  const scope = checkpointScope({
    read: { status: text, [`task/${pid}/status`]: text },
    answers: [{ result: 0x11n }],
  });
  cred.checkpoint(scope);
  expect(scope.obstacles).toEqual([]);
  expect(scope.values(Cred)).toMatchObject([
    {
      securebits: 0x11,
      uid: 7,
      fsgid: 7,
      permitted: 3n,
      effective: 3n,
      bounding: all,
      ambient: 0n,
    },
  ]);
  expect(scope.emitted[0]?.following).toEqual([[{ gid: 8 }, { gid: 9 }]]);
});

test('a thread with other credentials is refused', () => {
  const read = {
    status: status(),
    [`task/${pid}/status`]: status(),
    'task/4300/status': status({ groups: '5' }),
  };
  const scope = checkpointScope({ read, tids: [pid, 4300], answers: [{}] });
  cred.checkpoint(scope);
  expect(scope.obstacles).toMatchObject([{ thing: 'thread 4300' }]);
});

function image(more: Partial<Cred>, groups: readonly number[], own: Status, trustImage = false) {
  const ids = { uid: 0, euid: 0, suid: 0, fsuid: 0, gid: 0, egid: 0, sgid: 0, fsgid: 0 };
  const sets = { inheritable: 0n, permitted: all, effective: all, bounding: all, ambient: 0n };
  const tree = [pid, 4300].map((tid) => ({ tid }));
  return restoreScope(
    [
      made(Tree, { tasks: 1, threads: 2 }, { arrays: [tree] }),
      made(
        Cred,
        { objref: 1, securebits: 0, ...ids, ...sets, ...more },
        { arrays: [groups.map((gid) => ({ gid }))] },
      ),
    ],
    { system: system(own), options: { trustImage } },
  );
}

const somebody = {
  ...{ uid: 5, euid: 5, suid: 5, fsuid: 5, gid: 6, egid: 6, sgid: 6, fsgid: 6 },
  ...{ permitted: 0x20n, effective: 0x20n, inheritable: 0x20n, ambient: 0x20n, bounding: all - 1n },
};

const shown = (scope: ReturnType<typeof image>, section: 'rights' | 'credentials'): string[] =>
  scope
    .calls(section)
    .map(({ on, call, args }) =>
      [on, call, ...args.map((arg) => (typeof arg === 'object' ? '*' : arg.toString()))].join(' '),
    );

test('who is the invoker already needs no call', () => {
  const scope = image({}, [], {});
  rights.restore(scope);
  cred.restore(scope);
  expect(scope.calls()).toEqual([]);
});

test('rights for files are those of the task, before the first is opened', () => {
  const scope = image(somebody, [8, 9], {});
  rights.restore(scope);
  expect(shown(scope, 'rights')).toEqual([
    `${pid} setgroups 2 *`,
    `${pid} setfsgid 6`,
    `${pid} setfsgid -1`,
    `${pid} setfsuid 5`,
    `${pid} setfsuid -1`,
  ]);
  expect(scope.calls('rights').map(({ expect: result }) => result)).toEqual([
    undefined,
    undefined,
    6,
    undefined,
    5,
  ]);
});

test('a trusted image opens with the rights of the invoker, and loses them then', () => {
  const scope = image(somebody, [8, 9], {}, true);
  rights.restore(scope);
  expect(shown(scope, 'rights')).toEqual([]);
  cred.restore(scope);
  expect(shown(scope, 'credentials')[0]).toBe(`${pid} setgroups 2 *`);
});

test('every thread gets its credentials, what takes a capability first', () => {
  const scope = image(somebody, [], {});
  cred.restore(scope);
  const lines = shown(scope, 'credentials').filter((line) => line.startsWith('4300'));
  expect(lines).toEqual([
    '4300 prctl 28 4 0 0 0',
    '4300 setresgid 6 6 6',
    '4300 setresuid 5 5 5',
    '4300 prctl 24 0 0 0 0',
    '4300 prctl 28 0 0 0 0',
    '4300 capset * *',
    '4300 prctl 47 4 0 0 0',
    '4300 prctl 47 2 5 0 0',
  ]);
  expect(shown(scope, 'credentials').length).toBe(2 * lines.length);
});

test('ids for files that differ are set apart', () => {
  const scope = image({ ...somebody, fsuid: 77, fsgid: 78 }, [], {});
  cred.restore(scope);
  expect(shown(scope, 'credentials')).toContain(`${pid} setfsgid 78`);
  expect(shown(scope, 'credentials')).toContain(`${pid} setfsuid 77`);
});

test('more capabilities than the invoker has are refused by their names', () => {
  const error = thrown(() => {
    cred.restore(image({}, [], { effective: all & ~(1n << 24n) }));
  });
  expect(error).toMatchObject({ code: 'EPERM', field: 'permitted', path: ['CRED'] });
  expect(error.sentence).toContain('CAP_SYS_RESOURCE');
});

test('another user is refused where the invoker cannot become one', () => {
  const none = { permitted: 0n, effective: 0n, inheritable: 0n, ambient: 0n };
  const error = thrown(() => {
    cred.restore(image({ ...somebody, ...none }, [], { uid: 9, effective: 0n }));
  });
  expect(error).toMatchObject({ code: 'EPERM', field: 'uid' });
});

test('a smaller bounding set of the invoker stays, and is said', () => {
  const scope = image({}, [], { bounding: all & ~(1n << 22n) });
  cred.restore(scope);
  expect(scope.calls()).toEqual([]);
  expect(scope.notes).toEqual([
    "programs that it executes will not get CAP_SYS_BOOT, as the invoker's do not",
  ]);
});

test('too many groups are refused', () => {
  const groups = Array.from({ length: 65537 }, (_, gid) => gid);
  const error = thrown(() => {
    rights.restore(image({}, groups, {}));
  });
  expect(error).toMatchObject({ code: 'E2BIG', field: 'count' });
});

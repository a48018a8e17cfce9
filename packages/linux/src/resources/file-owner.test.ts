import { File } from '@ckpt/format';
import { expect, test } from 'vitest';
import { descriptorScope, planned } from '../testing/descriptor-world.ts';
import { pid, thrown } from '../testing/fake-scope.ts';
import { fileTable } from './file-table.ts';

const restore: typeof fileTable.restore = (scope) => {
  fileTable.restore(scope);
};

const counters = [3, 4].map((fd) => ({
  fds: [fd],
  link: 'anon_inode:[eventfd]',
  lines: `eventfd-count:                2a\neventfd-id: ${fd}\neventfd-semaphore: 0\n`,
  flags: fd === 3 ? 0o20002 : 2,
}));

/** Two counters, of which the first has an owner of that type. */
function owned(type: number, owner: number) {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, type, true);
  view.setInt32(4, owner, true);
  const scope = descriptorScope(counters, {
    frozen: {
      ask: (_, __, calls) =>
        calls.map(({ args: [fd, command] }) => {
          const asked = fd === 3 ? command : undefined;
          if (asked === 16) return { result: 0n, out: [bytes] };
          const result = asked === 9 ? BigInt(type === 2 ? -owner : owner) : 0n;
          return { result: asked === 11 ? 36n : result, out: [] };
        }),
    },
  });
  fileTable.checkpoint(scope);
  return scope;
}

test.for([
  ['the process', 1],
  ['a thread of it', 0],
  ['the group that it leads', 2],
] as const)('signals about a file go to %s again', ([, type]) => {
  const scope = owned(type, pid);
  expect(scope.obstacles).toEqual([]);
  expect(scope.values(File)[0]).toMatchObject({ owner: pid, owner_type: type, signal: 36 });
  const called = planned(scope, restore).calls('last');
  expect(called.map(({ args }) => args.slice(0, 2))).toEqual([
    [3, 10],
    [3, 15],
    [3, 4],
    [3, 4],
  ]);
  expect(called.at(-1)?.args[2]).toBe(0o20000);
});

test.for([
  ['process 77', 1],
  ['process group 77', 2],
] as const)('signals to %s are refused', ([name, type]) => {
  const { obstacles } = owned(type, 77);
  expect(obstacles).toMatchObject([{ reason: `its signals go to ${name} (fcntl(2) F_SETOWN)` }]);
});

test('an owner that cannot be is refused', () => {
  const scope = owned(1, pid);
  const [record] = scope.values(File);
  Object.assign(record ?? {}, { signal: 65 });
  expect(thrown(() => planned(scope, restore))).toMatchObject({ field: 'owner' });
});

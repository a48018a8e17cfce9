import type { FileHandle } from '@ckpt/engine';
import { Inotify, InotifyWatch } from '@ckpt/format';
import { expect, test } from 'vitest';
import {
  changing,
  descriptorScope,
  planned,
  word,
  type Opened,
} from '../testing/descriptor-world.ts';
import { fileStat, thrown, type Made } from '../testing/fake-scope.ts';
import { fileTable } from './file-table.ts';

const restore = fileTable.restore.bind(fileTable);

const line = (wd: number, inode: number, mask: string): string =>
  `inotify wd:${wd} ino:${inode} sdev:fe00000 mask:${mask} ignored_mask:0 ` +
  `fhandle-bytes:4 fhandle-type:1 f_handle:0${inode}000000\n`;

const names = ['/tmp/a', '/tmp/b'];
const stats = names.map((name, index) => [
  `root${name}`,
  fileStat({ ino: BigInt(index + 1), dev: 0xfe00n }),
]);
const opened: Opened = {
  fds: [5],
  link: 'anon_inode:inotify',
  flags: 0o4000,
  // The last one first, as the kernel shows them.
  lines: line(3, 2, '84000002') + line(1, 1, '80000fff'),
  answer: () => ({ result: 0n, out: [word(0)] }),
};

function checkpoint(asked: FileHandle[] = []) {
  const pathOf = (_task: unknown, handle: FileHandle) => {
    asked.push(handle);
    return names[Number(handle.inode) - 1];
  };
  const stat = Object.fromEntries(stats) as Record<string, ReturnType<typeof fileStat>>;
  const scope = descriptorScope([opened], { stat, frozen: { pathOf } });
  fileTable.checkpoint(scope);
  expect(scope.obstacles).toEqual([]);
  return scope;
}

test('watches are found by their handles, and kept in the order of their numbers', () => {
  const asked: FileHandle[] = [];
  const scope = checkpoint(asked);
  const bytes = Uint8Array.of(2, 0, 0, 0);
  expect(asked[0]).toEqual({ major: 254, minor: 0, inode: 2n, type: 1, bytes });
  expect(scope.values(Inotify)).toMatchObject([{ count: 2 }]);
  const emitted = scope.emitted.find(({ type }) => type === Inotify.type);
  expect(emitted?.following).toMatchObject([
    [
      { wd: 1, mask: 0x80000fff },
      { wd: 3, mask: 0x84000002 },
    ],
  ]);
});

test('a gap is counted over, and what that told of is taken away', () => {
  const calls = planned(checkpoint(), restore).calls('settle');
  const own = calls.filter(({ call }) => /inotify|^read$/.test(call));
  expect(own.map(({ call, expect: wanted }) => [call, wanted])).toEqual([
    ['inotify_add_watch', 1],
    ['inotify_add_watch', 2],
    ['inotify_rm_watch', undefined],
    ['read', 16],
    ['inotify_add_watch', 3],
  ]);
});

const changingWatches =
  (fields: Partial<InotifyWatch>) =>
  (image: readonly Made[]): readonly Made[] =>
    image.map((one) => {
      if (one.record.type !== Inotify.type) return one;
      const [watches = []] = (one.arrays ?? []) as readonly InotifyWatch[][];
      return { ...one, arrays: [watches.map((watch) => ({ ...watch, ...fields }))] };
    });

test.for([
  ['another count', changing(Inotify, { count: 3 }), /2 watches where 3 were said/],
  ['the same number twice', changingWatches({ wd: 2 }), /watch 2 after watch 2/],
  ['no number', changingWatches({ wd: 0 }), /watch 0 after watch 0/],
  ['a number that takes too long', changingWatches({ wd: 65537 }), /watch 65537/],
  ['no mask', changingWatches({ mask: 0 }), /mask 0/],
  ['an unknown mask', changingWatches({ mask: 0x1000 }), /mask 1000/],
] as const)('%s is refused', ([, change, message]) => {
  const error = thrown(() => planned(checkpoint(), restore, { change }));
  expect(error.code).toBe('EINVAL');
  expect(error.message).toMatch(message);
});

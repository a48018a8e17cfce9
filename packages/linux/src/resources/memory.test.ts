import type { Frozen, PageRun as HostRun } from '@ckpt/engine';
import { Mm, PageMap, Shm, Vma, adviceFlags, pageSources, vmaKinds } from '@ckpt/format';
import { expect, test } from 'vitest';
import { checkpointScope, fileStat, pid, type FakeProcess } from '../testing/fake-scope.ts';
import { memory } from './memory.ts';

const hex = (text: string): bigint => BigInt(`0x${text}`);

/** A line of smaps, flags and how much is its own. */
const line = (place: string, flags: string, own = 0, more = ''): string =>
  `${place}\nAnonymous: ${own} kB\n${more}VmFlags: ${flags} \n`;

const smaps =
  line('400000-401000 r-xp 00000000 fe:00 7 /bin/a', 'rd ex mr mw me sd') +
  line('401000-403000 rw-p 00001000 fe:00 7 /bin/a', 'rd wr mr mw me ac sd', 4) +
  line('600000-604000 rw-p 00000000 00:00 0 [heap]', 'rd wr mr mw me ac dc nh', 8) +
  line('700000-100700000 ---p 00000000 00:00 0', 'mr mw me nr') +
  line(
    '7f0000000000-7f0000002000 rw-s 00000000 00:01 9 /dev/zero (deleted)',
    'rd wr sh mr mw me ms',
  ) +
  line('7f0000002000-7f0000003000 r--s 00001000 00:01 9 /dev/zero (deleted)', 'rd sh mr mw me ms') +
  line('7f0000004000-7f0000008000 r--p 00000000 00:00 0 [vvar]', 'rd mr pf io de dd') +
  line('7f0000008000-7f000000a000 r--p 00000000 00:00 0 [vvar_vclock]', 'rd mr pf io de dd') +
  line('7f000000a000-7f000000c000 r-xp 00000000 00:00 0 [vdso]', 'rd ex mr mw me de') +
  line('7ffe00000000-7ffe00021000 rw-p 00000000 00:00 0 [stack]', 'rd wr mr mw me gd ac', 8) +
  line('ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]', 'ex');

const words = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const stat =
  `${pid} (a) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 99 0 0 0 ${words.slice(0, 3).join(' ')} ` +
  `0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 ${words.slice(3).join(' ')} 0`;

const status = 'Uid:\t0 0 0 0\nGid:\t0 0 0 0\nCapEff:\t2\n';
const program = fileStat({ mode: 0o100755 });
const auxv = Uint8Array.of(...new Uint8Array(16).fill(3), ...new Uint8Array(48));

const runs: readonly HostRun[] = [
  { address: 0x401000n, pages: 1, source: 'store' },
  { address: 0x402000n, pages: 1, source: 'file' },
  { address: 0x600000n, pages: 1, source: 'store' },
  { address: 0x601000n, pages: 2, source: 'zero' },
  { address: 0x603000n, pages: 1, source: 'guard' },
  { address: hex('7ffe0001f000'), pages: 2, source: 'store' },
];

const process = (more: FakeProcess = {}): FakeProcess => ({
  link: { exe: '/bin/a' },
  stat: { exe: program, 'root/bin/a': program },
  answers: [{ result: 0x604010n }],
  ...more,
  read: { smaps, stat, status, auxv, ...more.read },
  frozen: {
    pages: (_, start, end) => runs.filter(({ address }) => address >= start && address < end),
    // mincore(2): all pages of the shared object but the first.
    ask: (_, __, calls) =>
      calls.map(({ args }) => {
        const [address = 0, length = 0] = args as number[];
        const present = new Uint8Array(length / 4096).fill(1);
        if (BigInt(address) === hex('7f0000000000')) present[0] = 0;
        return { result: 0n, out: [present] };
      }),
    ...more.frozen,
  },
});

test('an address space is recorded with what is its own, and nothing of what is not', () => {
  const scope = checkpointScope(process());
  memory.checkpoint(scope);
  expect(scope.obstacles).toEqual([]);
  expect(scope.values(Mm)).toMatchObject([
    {
      ...{ start_code: 1n, end_code: 2n, start_stack: 3n, start_data: 4n, start_brk: 6n },
      ...{ brk: 0x604010n, env_end: 10n, vdso: hex('7f0000004000'), vdso_size: 0x8000n, vmas: 7 },
    },
  ]);
  expect(scope.values(Vma).map(({ start, kind, protection }) => [start, kind, protection])).toEqual(
    [
      [0x400000n, vmaKinds.file, 5],
      [0x401000n, vmaKinds.file, 3],
      [0x600000n, vmaKinds.anonymous, 3],
      [0x700000n, vmaKinds.anonymous, 0],
      [hex('7f0000000000'), vmaKinds.shared_anonymous, 3],
      [hex('7f0000002000'), vmaKinds.shared_anonymous, 1],
      [hex('7ffe00000000'), vmaKinds.stack, 3],
    ],
  );
  expect(scope.values(Vma)[2]?.advice).toBe(
    adviceFlags.DONTFORK | adviceFlags.NOHUGEPAGE | adviceFlags.ACCOUNTED,
  );
  expect(scope.values(Shm)).toMatchObject([{ size: 0x2000n, inode: 9n }]);
  const { following } = scope.emitted.find(({ type }) => type === PageMap.type) ?? {};
  expect(following?.[0]).toMatchObject([
    { address: 0x401000n, pages: 1n, index: 0n, source: pageSources.store },
    { address: 0x600000n, pages: 1n, index: 1n },
    { address: 0x603000n, pages: 1n, source: pageSources.guard },
    // One page of the object, though two mappings show it.
    { address: hex('7f0000001000'), pages: 1n, index: 2n },
    { address: hex('7ffe0001f000'), pages: 2n, index: 3n },
  ]);
});

test('the auxiliary vector ends where it ends', () => {
  const scope = checkpointScope(process());
  memory.checkpoint(scope);
  const { following } = scope.emitted.find(({ type }) => type === Mm.type) ?? {};
  expect(following?.[0]).toEqual(auxv.subarray(0, 32));
});

test('a reserve that nobody touched is not looked at', () => {
  const looked: bigint[] = [];
  const pages = (_: unknown, start: bigint): readonly HostRun[] => {
    looked.push(start);
    return [];
  };
  memory.checkpoint(checkpointScope(process({ frozen: { pages } })));
  expect(looked).not.toContain(0x700000n);
});

test.for([
  [
    'a file that was deleted',
    '500000-501000 r-xp 00000000 fe:00 77 /lib/b (deleted)',
    'rd ex',
    'mapping 500000-501000: /lib/b (deleted)',
    'its file was deleted',
  ],
  [
    'a file that is another one now',
    '500000-501000 r-xp 00000000 fe:00 77 /bin/a',
    'rd ex',
    'mapping 500000-501000: /bin/a',
    'its file is not at that name any more',
  ],
  [
    'shared memory of another process',
    '500000-501000 rw-s 00000000 00:01 10 /dev/zero (deleted)',
    'rd wr sh',
    'mapping 500000-501000: /dev/zero (deleted)',
    'another process shares this memory',
  ],
  [
    'a piece of vdso elsewhere',
    '500000-501000 r-xp 00000000 00:00 0 [vdso]',
    'rd ex',
    '[vdso], [vvar], [vvar_vclock], [vdso]',
    'they are not one block as this kernel maps it',
  ],
] as const)('%s is refused', ([, place, flags, thing, reason]) => {
  const shared = reason.startsWith('another') ? 'Shared_Dirty: 4 kB\n' : '';
  const read = { smaps: smaps.replace('600000', `${line(place, flags, 0, shared)}600000`) };
  const scope = checkpointScope(process({ read: { smaps: read.smaps } }));
  memory.checkpoint(scope);
  expect(scope.obstacles).toMatchObject([{ thing, reason }]);
});

const hugeFlags = 'rd wr mr mw me de ht';
const huge = (at: string, permissions: string, more: string): string =>
  line(`${at} ${permissions} 00000000 00:10 77 /anon_hugepage (deleted)`, hugeFlags + more).replace(
    'VmFlags',
    'KernelPageSize: 2048 kB\nVmFlags',
  );
const privateHuge = huge('500000200000-500000400000', 'rw-p', '');

test('a private view of huge pages that are mapped shared, too, is refused', () => {
  const all = huge('500000000000-500000200000', 'rw-s', ' sh ms') + privateHuge;
  const stat = { 'map_files/500000000000-500000200000': fileStat({ ino: 77n, nlink: 0 }) };
  const base = process({ read: { smaps: all + smaps.slice(smaps.indexOf('7f0000004000')) } });
  const scope = checkpointScope({ ...base, stat: { ...base.stat, ...stat } });
  memory.checkpoint(scope);
  expect(scope.obstacles).toContainEqual(
    expect.objectContaining({
      thing: 'mapping 500000200000-500000400000: /anon_hugepage (deleted)',
      reason: 'it is a private view of huge pages that are mapped shared, too',
    }),
  );
});

test.for([
  ['are carried where their file is empty', [], 0],
  ['are refused where their file holds something', undefined, 1],
] as const)('private huge pages %s', ([, data, count]) => {
  const smapsOf = privateHuge + smaps.slice(smaps.indexOf('7f0000004000'));
  const base = process({ read: { smaps: smapsOf } });
  const extents = () => ({ seals: undefined, data, hugePage: 2 << 20 });
  const scope = checkpointScope({ ...base, frozen: { ...base.frozen, extents } });
  memory.checkpoint(scope);
  const reason = 'it is a private view of huge pages that were shared, and hold something';
  expect(scope.obstacles.map((obstacle) => obstacle.reason)).toEqual(
    Array.from({ length: count }, () => reason),
  );
});

/** Two mappings of one shared object of two pages, between those of the others. */
const twoViews = (first: string, second: string, flags = ''): string =>
  line(
    `500000-502000 rw-s ${first} 00:01 10 /dev/zero (deleted)`,
    `rd wr sh mw${flags}`,
    0,
    twice,
  ) + line(`502000-504000 rw-s ${second} 00:01 10 /dev/zero (deleted)`, 'rd wr sh mw', 0, twice);
const twice = 'Shared_Dirty: 4 kB\n';

test.for([
  ['is its own where both show the same pages', '00000000', '00001000', 0],
  ["is another process's, too, where each shows others", '00000000', '00002000', 2],
] as const)('memory that is mapped twice %s', ([, first, second, count]) => {
  const read = { smaps: smaps.replace('600000', `${twoViews(first, second)}600000`) };
  const scope = checkpointScope(process({ read }));
  memory.checkpoint(scope);
  expect(scope.obstacles.map(({ reason }) => reason)).toEqual(
    Array.from({ length: count }, () => 'another process shares this memory'),
  );
});

test.for([
  ['is refused where nothing else shows it', '00004000', ['mapping 500000-502000']],
  ['is taken from another view', '00000000', []],
] as const)('shared memory under guard pages %s', ([, second, things]) => {
  const views = twoViews('00000000', second, ' gu').replaceAll(twice, '');
  const base = process({ read: { smaps: smaps.replace('600000', `${views}600000`) } });
  const guard = { address: 0x501000n, pages: 1, source: 'guard' } as const;
  const pages = (...[task, start, end]: Parameters<Frozen['pages']>) =>
    start === 0x500000n ? [guard] : (base.frozen?.pages?.(task, start, end) ?? []);
  const scope = checkpointScope({ ...base, frozen: { ...base.frozen, pages } });
  memory.checkpoint(scope);
  expect(scope.obstacles.map(({ thing }) => thing.split(': ')[0])).toEqual(things);
});

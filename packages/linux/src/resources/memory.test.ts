import type { PageRun as HostRun } from '@ckpt/engine';
import {
  CKPT_HDR_BUFFER,
  CKPT_HDR_FILE_NAME,
  CKPT_HDR_STRING,
  Mm,
  PageMap,
  Path,
  Shm,
  Store,
  Vma,
  adviceFlags,
  pageSources,
  vmaKinds,
  type PageRun,
} from '@ckpt/format';
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
  type Made,
} from '../testing/fake-scope.ts';
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
        const present = new Uint8Array(Number(length) / 4096).fill(1);
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

const vma = (start: bigint, end: bigint, more: Partial<Vma> = {}): Made =>
  made(Vma, {
    ...{ start, end, offset: 0n, object: 0, kind: vmaKinds.anonymous, protection: 3, flags: 0 },
    ...{ advice: 0, maximum: 7, protection_key: 0, _pad: 0, ...more },
  });

const pathRecord = made(
  Path,
  {
    ...{ objref: 2, flags: 4, mode: 0o100755, nlink: 1, device: 0xfe00n, inode: 7n, rdev: 0n },
    ...{ size: 100n, mtime: 1_000_000_000n, uid: 0, gid: 0, index: 0n, pages: 0n },
  },
  { bytes: { [CKPT_HDR_FILE_NAME]: encodeText('/bin/a') } },
);

const run = (address: bigint, more: Partial<PageRun> = {}): PageRun => ({
  ...{ address, pages: 1n, index: 0n, source: pageSources.store, flags: 0, ...more },
});

function image(vmas: readonly Made[], pages: readonly PageRun[] = [], more: readonly Made[] = []) {
  const zeros = Object.fromEntries(
    Mm.fields.map(({ name, field }) => [name, field.type === 'u64' ? 0n : 0]),
  ) as unknown as Mm;
  const mm: Mm = { ...zeros, objref: 1, exe: 2, vmas: vmas.length };
  const records = [
    pathRecord,
    ...more,
    made(Mm, mm, { bytes: { [CKPT_HDR_BUFFER]: auxv.subarray(0, 32) } }),
    ...vmas,
    made(PageMap, { mm: 1, _pad: 0 }, { arrays: [pages] }),
    made(Store, { pages: 10n }),
  ];
  return restoreScope(records, { files: { '/bin/a': program } });
}

/** "mmap 400000 1000 5 100012" of the calls of some names. */
function shown(scope: ReturnType<typeof image>, ...names: readonly string[]): string[] {
  return scope
    .calls()
    .filter(({ call }) => names.includes(call))
    .map(({ call, args }) =>
      [call, ...args.map((arg) => (typeof arg === 'object' ? '*' : arg.toString(16)))].join(' '),
    );
}

test('mappings come back writable where there is something to load, then as they were', () => {
  const file = { kind: vmaKinds.file, object: 2 };
  const scope = image(
    [
      vma(0x400000n, 0x401000n, { ...file, protection: 5 }),
      vma(0x401000n, 0x403000n, { ...file, protection: 1, offset: 0x1000n }),
      vma(0x600000n, 0x602000n, { advice: adviceFlags.ACCOUNTED, protection: 1 }),
      vma(0x602000n, 0x603000n, { protection: 0, flags: 0x4000 }),
      vma(0x7ffe00000000n, 0x7ffe00002000n, { kind: vmaKinds.stack, flags: 0x100 }),
    ],
    [run(0x402000n), run(0x7ffe00000000n, { index: 1n, pages: 2n })],
  );
  memory.restore(scope);
  expect(shown(scope, 'mmap', 'mprotect')).toEqual([
    'mmap 600000 2000 3 100022 -1 0',
    'mmap 602000 1000 0 104022 -1 0',
    'mmap 7ffe00000000 2000 3 100122 -1 0',
    'mmap 400000 1000 5 100002 * 0',
    'mmap 401000 2000 3 100002 * 1000',
    'mprotect 401000 2000 1',
    'mprotect 600000 2000 1',
  ]);
  const loads = scope.steps.filter(({ op }) => op === 'load');
  expect(loads).toMatchObject([
    { to: { address: 0x402000n }, length: 4096, index: 0 },
    { to: { address: 0x7ffe00000000n }, length: 8192, index: 1 },
  ]);
  expect(scope.calls('maps').filter(({ call }) => call === 'openat').length).toBe(2);
});

test('the executor lives where the image has nothing', () => {
  const scope = image([vma(0x10000n, 0x2000000n), vma(0x2800000n, 0x3000000n)]);
  memory.restore(scope);
  expect(scope.steps.find(({ op }) => op === 'wipe')).toMatchObject({
    section: 'wipe',
    hole: { address: 0x3000000n, length: 1 << 30 },
  });
});

test('views of one object are made of one mapping, which goes again', () => {
  const shared = { kind: vmaKinds.shared_anonymous, object: 3 };
  const scope = image(
    [
      vma(0x600000n, 0x602000n, shared),
      vma(0x700000n, 0x701000n, { ...shared, offset: 0x1000n, protection: 1 }),
    ],
    [run(0x600000n)],
    [made(Shm, { objref: 3, flags: 0, size: 0x2000n, device: 1n, inode: 9n })],
  );
  memory.restore(scope);
  const place =
    scope
      .calls('maps')
      .find(({ call }) => call === 'mmap')
      ?.args[0]?.toString(16) ?? '';
  expect(shown(scope, 'mmap', 'mremap', 'munmap', 'mprotect')).toEqual([
    `mmap ${place} 2000 3 100021 -1 0`,
    `mremap ${place} 0 2000 3 600000`,
    `mremap ${(hex(place) + 0x1000n).toString(16)} 0 1000 3 700000`,
    `munmap ${place} 2000`,
    'mprotect 700000 1000 1',
  ]);
});

test('advice, locks, names, guards and seals are given again', () => {
  const { DONTFORK, HUGEPAGE, MERGEABLE, LOCKED, LOCKONFAULT, SEALED } = adviceFlags;
  const advice = DONTFORK | HUGEPAGE | MERGEABLE | LOCKED | LOCKONFAULT | SEALED;
  const sealed = vma(0x600000n, 0x602000n, { advice });
  const named = { ...sealed, bytes: { [CKPT_HDR_STRING]: encodeText('name') } };
  const scope = image([named], [run(0x601000n, { source: pageSources.guard })]);
  memory.restore(scope);
  expect(shown(scope, 'madvise', 'mlock2', 'mseal')).toEqual([
    'madvise 600000 2000 e',
    'madvise 600000 2000 a',
    'madvise 600000 2000 c',
    'mlock2 600000 2000 1',
    'mseal 600000 2000 0',
    'madvise 601000 1000 66',
  ]);
  expect(scope.calls('last').map(({ call }) => call)).toEqual(['mseal']);
  expect(shown(scope, 'prctl')[0]).toBe('prctl 53564d41 0 600000 2000 *');
});

test('without a privilege the program link leads elsewhere, which is said', () => {
  const scope = { ...image([vma(0x600000n, 0x601000n)]) };
  const unprivileged = { ...scope, system: { ...scope.system, choosesPids: false } };
  memory.restore(unprivileged);
  expect(scope.notes).toEqual([`/proc/${pid}/exe will not lead to /bin/a: that needs a privilege`]);
});

const good = vma(0x600000n, 0x602000n);

test.for([
  ['not whole pages', [vma(0x600001n, 0x602000n)], [], 'EINVAL', 'start'],
  ['overlapping mappings', [good, vma(0x601000n, 0x603000n)], [], 'EINVAL', 'end'],
  ['a mapping of the kernel', [vma(0x600000n, 0x8000_0000_0000n)], [], 'EINVAL', 'end'],
  ['an unknown kind', [vma(0x600000n, 0x601000n, { kind: 99 })], [], 'ENOSYS', 'kind'],
  ['a memfd', [vma(0x600000n, 0x601000n, { kind: vmaKinds.memfd })], [], 'ENOSYS', 'kind'],
  [
    'a strange protection',
    [vma(0x600000n, 0x601000n, { protection: 8 })],
    [],
    'EINVAL',
    'protection',
  ],
  ['a key', [vma(0x600000n, 0x601000n, { protection_key: 1 })], [], 'ENOSYS', 'protection_key'],
  ['pages outside of mappings', [good], [run(0x603000n)], 'EINVAL', 'address'],
  ['pages beyond a mapping', [good], [run(0x601000n, { pages: 2n })], 'EINVAL', 'address'],
  ['pages that descend', [good], [run(0x601000n), run(0x600000n)], 'EINVAL', 'address'],
  ['pages beyond the store', [good], [run(0x600000n, { index: 10n })], 'EINVAL', 'index'],
  ['pages from nowhere', [good], [run(0x600000n, { source: 9 })], 'EINVAL', 'source'],
  [
    'pages of a parent',
    [good],
    [run(0x600000n, { source: pageSources.parent })],
    'ENOSYS',
    'source',
  ],
  ['no room for the executor', [vma(0x10000n, 0x7f00_0000_0000n)], [], 'ENOMEM', 'vmas'],
] as const)('an image with %s is refused', ([, vmas, pages, errno, field]) => {
  const scope = image(vmas, pages);
  const error = thrown(() => {
    memory.restore(scope);
  });
  expect(error).toMatchObject({ code: errno, field });
});

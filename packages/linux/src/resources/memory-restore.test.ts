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
  mapFlags,
  pageSources,
  vmaKinds,
  type PageRun,
} from '@ckpt/format';
import { encodeText } from '@ckpt/io';
import { expect, test } from 'vitest';
import { fileStat, made, pid, restoreScope, thrown, type Made } from '../testing/fake-scope.ts';
import { memory } from './memory.ts';

const hex = (text: string): bigint => BigInt(`0x${text}`);
const program = fileStat({ mode: 0o100755 });
/** AT_ something, then AT_NULL. */
const auxv = Uint8Array.of(...new Uint8Array(16).fill(3), ...new Uint8Array(16));

const vma = (start: bigint, end: bigint, more: Partial<Vma> = {}): Made =>
  made(Vma, {
    ...{ start, end, offset: 0n, object: 0, kind: vmaKinds.anonymous, protection: 3, flags: 0 },
    ...{ advice: 0, maximum: 7, protection_key: 0, page_shift: 0, ...more },
  });

const pathRecord = made(
  Path,
  {
    ...{ objref: 2, flags: 4, mode: 0o100755, nlink: 1, device: 0xfe00n, inode: 7n, rdev: 0n },
    ...{ size: 100n, mtime: 1_000_000_000n, uid: 0, gid: 0, index: 0n, pages: 0n },
    ...{
      runs: 0,
      seals: 0,
      build_id_size: 0,
      build_id: new Uint8Array(20),
      page_shift: 0,
      _pad: 0,
    },
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
    made(Mm, mm, { bytes: { [CKPT_HDR_BUFFER]: auxv } }),
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
  const [, place = ''] = shown(scope, 'mmap')[0]?.split(' ') ?? [];
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
    'mseal 600000 2000 0',
    'madvise 601000 1000 66',
    'mlock2 600000 2000 1',
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

const huge = (shift: number) => ({ flags: mapFlags.HUGETLB, page_shift: shift });

test('huge pages are asked for by their size', () => {
  const scope = image([vma(0x600000n, 0xa00000n, huge(21))], []);
  memory.restore(scope);
  expect(shown(scope, 'mmap')).toEqual(['mmap 600000 400000 3 54140022 -1 0']);
});

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
  ['flags', [vma(0x600000n, 0x601000n, { flags: 0x800 })], [], 'ENOSYS', 'flags'],
  ['pages of no size', [vma(0x600000n, 0x601000n, huge(0))], [], 'EINVAL', 'page_shift'],
  ['pages of a strange size', [vma(0x600000n, 0x601000n, huge(5))], [], 'EINVAL', 'page_shift'],
  ['parts of huge pages', [vma(0x600000n, 0x601000n, huge(21))], [], 'EINVAL', 'start'],
  ['advice', [vma(0x600000n, 0x601000n, { advice: 1 << 20 })], [], 'ENOSYS', 'advice'],
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

import { CKPT_HDR_FILE_NAME, Path, pathFlags } from '@ckpt/format';
import { encodeText } from '@ckpt/io';
import { expect, test } from 'vitest';
import { checkpointScope, fileStat, made, restoreScope, thrown } from '../testing/fake-scope.ts';
import { accessOf } from './path-access.ts';
import { openPath } from './path-open.ts';
import { checkpointPath, path } from './path.ts';

/** Of a user without privilege. */
const status = (more = ''): string =>
  `Uid:\t5 5 5 5\nGid:\t6 6 6 6\nGroups:\t8 9\nCapEff:\t0\n${more}`;
const read = { status: status() };

const fact = { thing: 'descriptor 5', flags: 0 };

test('a file is emitted once for each use of it', () => {
  const stat = fileStat();
  const scope = checkpointScope({ read, stat: { 'root/tmp/a': stat } });
  const first = checkpointPath(scope, { ...fact, name: '/tmp/a', stat });
  const again = checkpointPath(scope, { ...fact, name: '/tmp/a', stat });
  const mapped = checkpointPath(scope, { ...fact, name: '/tmp/a', stat, flags: pathFlags.MAPPED });
  const objrefs = [first, again, mapped].map((made) => made?.objref);
  expect(objrefs).toEqual([1, 1, 2]);
  expect(scope.values(Path)).toMatchObject([
    { objref: 1, inode: 7n, size: 100n, mode: 0o100644, flags: 0, pages: 0n },
    { objref: 2, flags: pathFlags.MAPPED },
  ]);
  expect(scope.emitted[0]?.following).toEqual([encodeText('/tmp/a')]);
  expect(scope.obstacles).toEqual([]);
});

const folder = (mode: number) => fileStat({ mode: 0o040000 | mode });

test.for([
  ['of others, readable', fileStat({ mode: 0o100604 }), 0, true],
  ['of others', fileStat({ mode: 0o100660 }), 0, false],
  ['of its own', fileStat({ mode: 0o100400, uid: 5 }), 0, true],
  ['of its own, not even for itself', fileStat({ mode: 0o100044, uid: 5 }), 0, false],
  ['of its group', fileStat({ mode: 0o100040, gid: 9 }), 0, true],
  ['of its group, to write', fileStat({ mode: 0o100040, gid: 9 }), pathFlags.WRITTEN, false],
] as const)('a file %s: that the process opens it itself is %s', ([, stat, flags, opens]) => {
  const files = { 'root/tmp/a': stat, 'root/': folder(0o755), 'root/tmp/': folder(0o1777) };
  const scope = checkpointScope({ read, stat: files });
  const again = { ...fact, name: '/tmp/a', stat, flags };
  expect(checkpointPath(scope, again)?.trusted).toBe(!opens);
  expect(checkpointPath(scope, again)?.trusted).toBe(!opens);
  expect(scope.notes.length).toBe(opens ? 0 : 1);
  expect(scope.obstacles).toEqual([]);
});

test.for([
  ['to read', 0o100040, 0, true],
  ['to write', 0o100040, 1, false],
  ['for both', 0o100020, 2, false],
  ['without opening it (O_PATH)', 0o100000, 0o10000002, true],
] as const)('a file that was opened %s, of mode 0%o', ([, mode, flags, opens]) => {
  const stat = fileStat({ mode, gid: 9 });
  const files = { 'root/tmp/a': stat, 'root/': folder(0o755), 'root/tmp/': folder(0o755) };
  const scope = checkpointScope({ read, stat: files });
  const opened = { ...fact, name: '/tmp/a', stat, wanted: accessOf(flags) };
  expect(checkpointPath(scope, opened)?.trusted).toBe(!opens);
});

test('a file in a folder that the process cannot enter is told', () => {
  const stat = fileStat();
  const files = { 'root/x/a': stat, 'root/': folder(0o755), 'root/x/': folder(0o700) };
  const scope = checkpointScope({ read, stat: files });
  checkpointPath(scope, { ...fact, name: '/x/a', stat });
  expect(scope.notes).toEqual([
    '/x/a was opened with rights that the process no longer has: a restart needs --trust-image',
  ]);
  const root = { status: status().replace('CapEff:\t0', 'CapEff:\t2') };
  const privileged = checkpointScope({ read: root, stat: files });
  checkpointPath(privileged, { ...fact, name: '/x/a', stat });
  expect(privileged.notes).toEqual([]);
});

test('the content of a deleted file is stored', () => {
  const stat = fileStat({ nlink: 0, size: 5000n });
  const scope = checkpointScope();
  checkpointPath(scope, { ...fact, name: '/tmp/a (deleted)', stat, contents: 'fd/5' });
  expect(scope.values(Path)).toMatchObject([{ flags: pathFlags.DELETED, pages: 2n, index: 0n }]);
  expect(scope.emitted[0]?.following).toEqual([encodeText('/tmp/a')]);
});

test('a file whose name ends like that of a deleted one is none', () => {
  const stat = fileStat();
  const scope = checkpointScope({ read, stat: { 'root/tmp/a (deleted)': stat } });
  expect(checkpointPath(scope, { ...fact, name: '/tmp/a (deleted)', stat })?.objref).toBe(1);
});

test.for([
  ['/tmp/a (deleted)', { nlink: 0 }, {}, 'it was deleted'],
  ['/tmp/a (deleted)', {}, {}, 'this name was deleted, and the file has another one'],
  ['/tmp/a', {}, {}, 'no file has this name now'],
  ['/tmp/a', {}, { 'root/tmp/a': fileStat({ ino: 8n }) }, 'another file has this name now'],
  ['/tmp/\u{fffd}', {}, {}, 'its name is no UTF-8'],
  ['(unreachable)/a', {}, {}, 'it has no path in this mount namespace'],
] as const)('%s is refused: %s', ([name, stat, files, reason]) => {
  const scope = checkpointScope({ stat: files });
  expect(checkpointPath(scope, { ...fact, name, stat: fileStat(stat) })).toBeUndefined();
  expect(scope.obstacles).toMatchObject([{ thing: 'descriptor 5', reason }]);
  expect(scope.emitted).toEqual([]);
});

const image = (more: Partial<Path> = {}, name = encodeText('/tmp/a')) => [
  made(
    Path,
    {
      ...{ objref: 1, flags: 0, mode: 0o100644, nlink: 1, device: 0xfe00n, inode: 7n, rdev: 0n },
      ...{ size: 100n, mtime: 1_000_000_000n, uid: 0, gid: 0, index: 0n, pages: 0n },
      ...{
        runs: 0,
        seals: 0,
        build_id_size: 0,
        build_id: new Uint8Array(20),
        page_shift: 0,
        _pad: 0,
      },
      ...more,
    },
    { bytes: { [CKPT_HDR_FILE_NAME]: name } },
  ),
];

test.for([
  ['gone', {}, {}, 'ENOENT', 'name'],
  ['a FIFO now', {}, { '/tmp/a': fileStat({ mode: 0o010644 }) }, 'ESTALE', 'mode'],
  ['longer', {}, { '/tmp/a': fileStat({ size: 101n }) }, 'ESTALE', 'size'],
  ['newer', {}, { '/tmp/a': fileStat({ mtime: 2n }) }, 'ESTALE', 'mtime'],
  [
    'shorter, and written by the program',
    { flags: pathFlags.WRITTEN },
    { '/tmp/a': fileStat({ size: 99n }) },
    'ESTALE',
    'size',
  ],
  [
    'another one, and written by the program',
    { flags: pathFlags.WRITTEN },
    { '/tmp/a': fileStat({ ino: 8n }) },
    'ESTALE',
    'inode',
  ],
  [
    'another device',
    { mode: 0o020666, rdev: 0x103n },
    { '/tmp/a': fileStat({ mode: 0o020666, rdev: 0x105n }) },
    'ESTALE',
    'rdev',
  ],
] as const)('a file that is %s is one clear error', ([, value, files, errno, field]) => {
  const error = thrown(() => {
    path.restore(restoreScope(image(value), { files }));
  });
  expect(error).toMatchObject({ code: errno, field, position: 0x100, path: ['PATH'] });
  expect(error.sentence).toContain('/tmp/a');
});

test('a program is known by its build, whatever its time is', () => {
  const head = new Uint8Array(200);
  head.set([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
  const view = new DataView(head.buffer);
  view.setBigUint64(32, 64n, true);
  view.setUint16(56, 1, true);
  view.setUint32(64, 4, true);
  view.setBigUint64(72, 120n, true);
  view.setBigUint64(96, 20n, true);
  for (const [index, word] of [4, 4, 3, 0x55_4e47, 0x0403_0201].entries()) {
    view.setUint32(120 + index * 4, word, true);
  }
  const built = (id: readonly number[], options = {}) => ({
    ...restoreScope(image({ build_id_size: 4, build_id: Uint8Array.from(id), ...options }), {
      files: { '/tmp/a': fileStat({ mtime: 2n }) },
    }),
    contents: (_: string, offset: bigint, length: number) =>
      head.subarray(Number(offset), Number(offset) + length),
  });
  path.restore(built([1, 2, 3, 4]));
  const error = thrown(() => {
    path.restore(built([1, 2, 3, 5]));
  });
  expect(error).toMatchObject({ code: 'ESTALE', field: 'build_id' });
  expect(error.sentence).toContain('build 01020305 then, 01020304 now');
  const carried = built([1, 2, 3, 5], { flags: pathFlags.MAPPED | pathFlags.CARRIED });
  path.restore(carried);
  expect(carried.notes).toEqual([
    '/tmp/a has changed (build 01020305 then, 01020304 now); a copy from the image is used',
  ]);
});

test('a changed file passes when the user says so', () => {
  const files = { '/tmp/a': fileStat({ size: 101n }) };
  path.restore(restoreScope(image(), { files, options: { allowChanged: true } }));
});

test('a file that the program writes may have grown, which is said', () => {
  const scope = restoreScope(image({ flags: pathFlags.WRITTEN }), {
    files: { '/tmp/a': fileStat({ size: 200n, mtime: 5n }) },
  });
  path.restore(scope);
  expect(scope.notes).toEqual(['/tmp/a has changed since the checkpoint; it is used as it is now']);
});

const moves = (...mapPath: unknown[]) => ({ mapPath });

test.for([
  ['/tmp/a', [['/tmp/a', '/new/b']], '/new/b'],
  ['/tmp/a', [['/tmp', '/new']], '/new/a'],
  ['/tmp/a', [['/tmp/', '/new//x/']], '/new/x/a'],
  ['/tmp/a', [['/', '/mnt/old']], '/mnt/old/tmp/a'],
  ['/tmp/a', [['/tmp', '/']], '/a'],
  ['/tmp/a', [['/tmp/a', '/']], '/'],
  // Whole components, the longest that fits, each name once.
  [
    '/tmp/a',
    [
      ['/t', '/new'],
      ['/tmp/', '/x'],
      ['/tmp/b', '/y'],
      ['/x', '/z'],
    ],
    '/x/a',
  ],
  [
    '/tmp/a',
    [
      ['/tmp', '/x'],
      ['/tmp/a', '/y'],
      ['/', '/z'],
    ],
    '/y',
  ],
  ['/tmp', [['/tmp/a', '/x']], '/tmp'],
] as const)('%s that moved as %j is looked for at %s', ([name, mapPath, now]) => {
  const mapped = { files: { [now]: fileStat({ ino: 9n }) }, options: moves(...mapPath) };
  const scope = restoreScope(image({ flags: pathFlags.WRITTEN }, encodeText(name)), mapped);
  if (now === name)
    expect(
      thrown(() => {
        path.restore(scope);
      }).field,
    ).toBe('inode');
  else path.restore(scope);
  const [record] = scope.document.all(Path);
  if (record === undefined) throw new Error('no record');
  openPath(scope, 'maps', record, record, 0);
  expect(scope.calls('maps')[0]).toMatchObject({
    args: [-100, { blob: encodeText(`${now}\0`) }, 0o12400000],
    what: `open ${now}`,
  });
});

test('a file that moved is still the same, or that is said', () => {
  const options = moves(['/tmp', '/new']);
  const gone = restoreScope(image(), { files: { '/tmp/a': fileStat() }, options });
  expect(
    thrown(() => {
      path.restore(gone);
    }),
  ).toMatchObject({ code: 'ENOENT', field: 'name' });
  const other = restoreScope(image(), { files: { '/new/a': fileStat({ size: 9n }) }, options });
  expect(
    thrown(() => {
      path.restore(other);
    }),
  ).toMatchObject({ code: 'ESTALE', field: 'size' });
});

test('a move that no file has made is told', () => {
  const options = moves(['/tmp', '/new'], ['/srv/', '/x']);
  const scope = restoreScope(image(), { files: { '/new/a': fileStat() }, options });
  path.restore(scope);
  expect(scope.notes).toEqual(['nothing in the image is at or under /srv, which was said to move']);
});

test.for([['/a=/b'], [['/a', 'b']], [['a', '/b']], [['/a']], [['/a', 5]]])(
  'a move that is %j is none',
  ([move]) => {
    const scope = restoreScope(image(), { files: { '/tmp/a': fileStat() }, options: moves(move) });
    expect(
      thrown(() => {
        path.restore(scope);
      }).code,
    ).toBe('EINVAL');
  },
);

test.for([
  ['relative', encodeText('tmp/a')],
  ['holds a NUL', encodeText('/tmp\0/a')],
  ['is no UTF-8', Uint8Array.of(0x2f, 0xff)],
  ['is too long', encodeText(`/${'a'.repeat(4096)}`)],
] as const)('a name that %s is refused', ([, name]) => {
  const error = thrown(() => {
    path.restore(restoreScope(image({}, name), { files: {} }));
  });
  expect(error).toMatchObject({ code: 'EINVAL', field: 'name' });
});

test('a path is opened without following, compared, and only then opened for real', () => {
  const scope = restoreScope(image(), { files: { '/tmp/a': fileStat() } });
  const [record] = scope.document.all(Path);
  if (record === undefined) throw new Error('no record');
  const O_RDWR_CREAT_TRUNC_APPEND = 0o3102;
  openPath(scope, 'maps', record, record, O_RDWR_CREAT_TRUNC_APPEND);
  const calls = scope.calls('maps');
  expect(calls.map(({ call }) => call)).toEqual([
    'openat',
    'dup3',
    'close',
    'fstat',
    'fstat',
    'openat',
    'close',
  ]);
  expect(calls[0]?.args).toEqual([-100, { blob: encodeText('/tmp/a\0') }, 0o12400000]);
  const device = Uint8Array.of(0, 0xfe, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0);
  expect(calls[3]?.expectRoom).toMatchObject({ offset: 0, bytes: device });
  expect(calls[4]?.expectRoom).toMatchObject({
    offset: 24,
    bytes: Uint8Array.of(0xa4, 0x81, 0, 0),
  });
  expect(calls[5]?.args).toEqual([-100, { blob: encodeText('/proc/self/fd/4\0') }, 0o2002]);
});

import { File, Inherited } from '@ckpt/format';
import { describe, expect, test } from 'vitest';
import { DescriptorMachine } from '../testing/descriptor-machine.ts';
import { descriptorScope, planned, type Opened } from '../testing/descriptor-world.ts';
import { fileStat, thrown } from '../testing/fake-scope.ts';
import { fileTable } from './file-table.ts';

const restore = fileTable.restore.bind(fileTable);

const holding = { pid: 12, startTime: 99n, name: 'tee', fd: 0, flags: 0 };
const output: Opened = {
  fds: [1, 2],
  link: 'pipe:[77]',
  inode: 77n,
  flags: 0o4001,
  stat: { dev: 15n, ino: 77n, mode: 0o10600 },
};
const log: Opened = { fds: [5], link: '/tmp/log', flags: 0o2001 };
const scope = descriptorScope([output, log], {
  frozen: { holdings: (_, link) => (link === 'pipe:[77]' ? [holding] : []) },
});
fileTable.checkpoint(scope);

const pipeFile = fileStat({ dev: 15n, ino: 77n, mode: 0o10600 });
const there = { files: { '/proc/12/fd/0': pipeFile }, starts: { 12: 99n } };

/** What descriptors lead to after a restart, and the notes of its plan. */
function after(more: Parameters<typeof planned>[2]) {
  const plan = planned(scope, restore, more);
  const machine = new DescriptorMachine();
  machine.run(plan);
  const table = [...machine.table].sort(([a], [b]) => a - b);
  return {
    notes: plan.notes,
    table: table.map(([fd, { open }]) => `${fd} ${open.what} 0${open.flags.toString(8)}`),
  };
}

const refusal = (more: Parameters<typeof planned>[2]) => {
  const { code, field, sentence } = thrown(() => planned(scope, restore, more));
  return [code, field, sentence];
};

const fds = (...targets: readonly (readonly [number, unknown])[]) => ({
  options: { fds: new Map(targets) },
});

describe('a pipe that somebody else holds', () => {
  test('is told of at the checkpoint, and how to keep its far end from noticing', () => {
    expect(scope.obstacles).toEqual([]);
    expect(scope.values(Inherited)).toEqual([
      { objref: expect.any(Number) as number, count: 1, device: 15n, inode: 77n },
    ]);
    expect(scope.values(File)[0]).toMatchObject({ kind: 12, end: 1 });
    expect(scope.notes).toEqual([
      expect.stringMatching(/^descriptors 1, 2: pipe:\[77\] leads to 12 \(tee\): .* --fd 1=PATH$/),
      expect.stringMatching(/12 \(tee\) reads an end of file; .*exec 9<>\/proc\/4242\/fd\/1$/),
    ]);
  });

  test('is joined through its descriptor while it lives', () => {
    expect(after(there).table).toEqual([
      '1 /proc/12/fd/0 04001',
      '2 /proc/12/fd/0 04001',
      '5 /tmp/log 02001',
    ]);
  });

  test.for([
    ['has ended', { ...there, starts: {} }],
    ['gave its pid to another', { ...there, starts: { 12: 100n } }],
    ['has something else there', { ...there, files: { '/proc/12/fd/0': fileStat() } }],
    ['has closed it', { ...there, files: {} }],
  ] as const)('is refused when that %s', ([, more]) => {
    expect(refusal(more)).toEqual([
      'ENXIO',
      'inode',
      expect.stringMatching(/descriptor 1 led to pipe 77 of 12 \(tee\), which is gone: .*--fd 1=/),
    ]);
  });
});

describe('a descriptor that is led elsewhere', () => {
  test('opens a path as it was open; what shared its description goes with it', () => {
    const { table, notes } = after(fds([2, { path: '/tmp/new' }]));
    expect(table).toEqual(['1 /tmp/new 04501', '2 /tmp/new 04501', '5 /tmp/log 02001']);
    expect(notes).toEqual(['descriptor 1, 2 leads to /tmp/new']);
  });

  test('need not go where its neighbour goes', () => {
    const { notes } = after(fds([1, { path: '/tmp/a' }], [2, { path: '/tmp/b' }]));
    expect(notes).toEqual(['descriptor 1 leads to /tmp/a', 'descriptor 2 leads to /tmp/b']);
  });

  test('needs its own file no more', () => {
    const gone = { ...there, ...fds([5, { path: '/dev/null' }]) };
    expect(after({ ...gone, files: { ...gone.files } }).table[2]).toMatch(/^5 \/dev\/null/);
  });

  test.for([
    ['which there is none of', fds([7, { path: '/x' }]), 'EBADF', /had no descriptor 7/],
    [
      'to one of ckpt that is open otherwise',
      fds([1, { fd: 3, flags: 0 }]),
      'EBADF',
      /3 of ckpt is not open for writing/,
    ],
  ] as const)('is refused for one %s', ([, more, code, pattern]) => {
    expect(refusal(more)).toEqual([code, undefined, expect.stringMatching(pattern)]);
  });
});

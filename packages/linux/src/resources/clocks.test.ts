import type { System } from '@ckpt/engine';
import { Clocks, Identity } from '@ckpt/format';
import { expect, test } from 'vitest';
import { parseTimeOffsets, timeOffsetsText } from '../procfs/time-offsets.ts';
import { checkpointScope, made, restoreScope, thrown } from '../testing/fake-scope.ts';
import { encodeText } from '@ckpt/io';
import { clocks } from './clocks.ts';

const second = 1_000_000_000n;
const boot = (fill: number): Uint8Array => new Uint8Array(16).fill(fill);
const none = { monotonic: 0n, boottime: 0n };

const timespec = (seconds: bigint, rest: bigint): Uint8Array => {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setBigInt64(0, seconds, true);
  new DataView(bytes.buffer).setBigInt64(8, rest, true);
  return bytes;
};

const offsets = 'monotonic     1000000         5\nboottime          -2         7\n';

test('the clocks of a process are recorded with what its namespace adds', () => {
  const scope = checkpointScope({
    answers: [{ out: [timespec(3n, 4n)] }, { out: [timespec(5n, 6n)] }],
    read: { timens_offsets: offsets },
    link: { 'ns/time': 'time:[5]', 'ns/time_for_children': 'time:[5]' },
  });
  clocks.checkpoint(scope);
  expect(scope.obstacles).toEqual([]);
  expect(scope.values(Clocks)).toEqual([
    {
      ...{ monotonic: 3n * second + 4n, boottime: 5n * second + 6n },
      ...{ monotonic_offset: 1_000_000n * second + 5n, boottime_offset: -2n * second + 7n },
    },
  ]);
});

test('a process whose children are in another time is refused', () => {
  const link = { 'ns/time': 'time:[5]', 'ns/time_for_children': 'time:[6]' };
  const scope = checkpointScope({ link });
  clocks.checkpoint(scope);
  expect(scope.obstacles).toMatchObject([{ thing: 'time (of its children) namespace' }]);
});

test('the text of offsets is read as it was written', () => {
  const times = { monotonic: 1_000_000n * second + 5n, boottime: -2n * second + 7n };
  expect(parseTimeOffsets(encodeText(offsets))).toEqual(times);
  expect(parseTimeOffsets(encodeText(timeOffsetsText(times)))).toEqual(times);
  expect(parseTimeOffsets(encodeText('monotonic 1 2\n'))).toBeUndefined();
});

const value = {
  ...{ monotonic: 900n * second, boottime: 1000n * second },
  ...{ monotonic_offset: 0n, boottime_offset: 0n },
};

function planned(more: Partial<Clocks>, system: Partial<System>, times = 1) {
  const identity = { uuid: boot(0), parent: boot(0), boot_id: boot(1) };
  const record = made(Clocks, { ...value, ...more });
  const scope = restoreScope(
    [
      made(Identity, { ...identity, page_size: 4096, alignment: 4096 }),
      ...Array.from({ length: times }, () => record),
    ],
    { system: { bootId: boot(1), ...system } },
  );
  clocks.restore(scope);
  return scope;
}

const at = (monotonic: bigint, boottime: bigint, own: System['clocks'] = none) => ({
  clocks: { monotonic: monotonic * second, boottime: boottime * second, offsets: own },
});

const elsewhere = { bootId: boot(2) };

/** What is added to the clocks, in seconds; undefined: there is no namespace. */
const added = (more: Partial<Clocks>, system: Partial<System>) => {
  const [step] = planned(more, system).steps;
  if (step?.op !== 'spawn' || !('clocks' in step)) return undefined;
  const { clocks: of } = step as { clocks: typeof none };
  return [of.monotonic / second, of.boottime / second];
};

test.for([
  ['time has gone on', {}, at(950n, 1050n), undefined],
  ['the image had the same time a moment ago', {}, at(900n, 999n), undefined],
  ['the machine was set back', {}, at(10n, 20n), [890n, 980n]],
  ['another boot is ahead', {}, { ...elsewhere, ...at(950n, 1050n) }, undefined],
  ['another boot is behind', {}, { ...elsewhere, ...at(100n, 1050n) }, [800n, 0n]],
  ['the image had a namespace', { monotonic_offset: 5n * second }, at(950n, 1050n), [5n, 0n]],
  ['we have one', {}, at(950n, 1050n, { monotonic: 40n * second, boottime: 0n }), [0n, 0n]],
  [
    'we have one and are behind all the same',
    {},
    { ...elsewhere, ...at(100n, 1050n, { monotonic: 40n * second, boottime: second }) },
    [840n, 1n],
  ],
  [
    'both have the same',
    { monotonic_offset: 5n * second },
    at(950n, 1050n, { monotonic: 5n * second, boottime: 0n }),
    undefined,
  ],
] as const)('a namespace where it is needed: %s', ([, more, system, expected]) => {
  expect(added(more, system)).toEqual(expected);
});

const status = (effective: string) => ({
  self: {
    ...{ namespaces: {}, limits: new Uint8Array(0) },
    status: encodeText(`CapEff:\t${effective}\n`),
  },
});

test.for([
  ['no right', at(100n, 1050n), status('0'), 'needs CAP_SYS_ADMIN and CAP_SYS_TIME'],
  ['no right to set it', at(100n, 1050n), status('200000'), 'needs CAP_SYS_TIME'],
  [
    'a kernel without',
    { clocks: { monotonic: 100n * second, boottime: 1050n * second } },
    status('1ffffffffff'),
    'no time namespaces',
  ],
] as const)('%s to make one: it is said which clock goes back', ([, now, self, why]) => {
  const { steps, notes } = planned({}, { ...elsewhere, ...now, ...self });
  expect(steps).toEqual([]);
  expect(notes).toHaveLength(1);
  expect(notes[0]).toContain('CLOCK_MONOTONIC goes back by 800 s');
  expect(notes[0]).toContain(why);
});

test('an image without clocks, and a machine whose clocks nobody knows, need nothing', () => {
  expect(planned({}, at(1n, 1n), 0).steps).toEqual([]);
  expect(planned({}, {}).steps).toEqual([]);
});

test.for([
  ['monotonic', -1n],
  ['boottime', 4_611_686_019n * second],
  ['monotonic_offset', -4_611_686_019n * second],
] as const)('a %s that no clock shows is refused', ([field, time]) => {
  const error = thrown(() => planned({ [field]: time }, at(1n, 1n)));
  expect(error).toMatchObject({ code: 'EINVAL', field, path: ['CLOCKS'] });
});

test('a second record is refused', () => {
  expect(thrown(() => planned({}, at(1n, 1n), 2))).toMatchObject({ code: 'EINVAL' });
});

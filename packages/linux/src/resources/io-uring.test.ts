import type { Value } from '@ckpt/engine';
import fc from 'fast-check';
import { IoUring, ioUringSetupFlags, Mm, Vma, vmaKinds } from '@ckpt/format';
import { describe, expect, test } from 'vitest';
import { changing, descriptorScope, planned, type Opened } from '../testing/descriptor-world.ts';
import { made, thrown, type Made } from '../testing/fake-scope.ts';
import { fileTable } from './file-table.ts';
import { arrayOffset } from './io-uring-facts.ts';
import { hasPlainOrder, keepsNoCopies } from './io-uring-memory.ts';
import { batchesOf, replayMax, shiftOf } from './io-uring-replay.ts';

const restore = fileTable.restore.bind(fileTable);

interface Ring {
  readonly sq: number;
  readonly cq: number;
  readonly done: number;
  readonly queued?: number;
  readonly unread?: number;
  readonly index?: (place: number) => number;
  readonly opcode?: number;
  /** Lines of fdinfo that replace the usual ones. */
  readonly lines?: Readonly<Record<string, string | number>>;
  readonly results?: Readonly<Record<string, bigint>>;
}

const ringAt = 0x7f00_0000_0000n;
const sqesAt = 0x7f00_0010_0000n;
const pages = (size: number): number => Math.ceil(size / 4096) * 4096;
const ringSize = ({ sq, cq }: Ring): number => pages(arrayOffset(cq) + sq * 4);

function memory(ring: Ring): Uint8Array {
  const { sq, cq, done, queued = 0, unread = 0, index = () => 0 } = ring;
  const bytes = new Uint8Array(ringSize(ring));
  const view = new DataView(bytes.buffer);
  const words = [done, done + queued, done - unread, done, sq - 1, cq - 1, sq, cq];
  for (const [at, value] of words.entries()) view.setUint32(at * 4, value, true);
  for (let place = 0; place < sq; place++) {
    view.setUint32(arrayOffset(cq) + place * 4, index(place), true);
  }
  return bytes;
}

function entries({ sq, opcode = 0, done }: Ring): Uint8Array {
  const bytes = new Uint8Array(pages(sq * 64));
  for (let at = 0; at < Math.min(sq, done); at++) bytes[at * 64] = opcode;
  return bytes;
}

function ringFacts(ring: Ring): Opened {
  const { sq, cq, done, queued = 0, unread = 0, lines = {}, results = {} } = ring;
  const all = {
    ...{ SqMask: `0x${(sq - 1).toString(16)}`, SqHead: done, SqTail: done + queued },
    ...{ CachedSqHead: done, CqMask: `0x${(cq - 1).toString(16)}`, CqHead: done - unread },
    ...{ CqTail: done, CachedCqTail: done, SQEs: queued, CQEs: unread, SqThread: -1 },
    ...{ UserFiles: 0, UserBufs: 0, PollList: '', CqOverflowList: '', NAPI: 'disabled' },
    ...lines,
  };
  return {
    fds: [4],
    link: 'anon_inode:[io_uring]',
    inode: 99n,
    lines: Object.entries(all)
      .map(([name, value]) => `${name}:\t${value}\n`)
      .join(''),
    answer: ({ call }) => ({
      result: results[call] ?? (call === 'io_uring_register' ? -9n : 0n),
    }),
  };
}

/** A number among the arguments of a call. */
const wordOf = (value: Value | undefined): bigint =>
  typeof value === 'bigint' || typeof value === 'number' ? BigInt(value) : -1n;

const hex = (value: bigint): string => value.toString(16);

function ringScope(ring: Ring, maps?: string) {
  const rings = memory(ring);
  const sqes = entries(ring);
  const line = (start: bigint, size: number, offset: string): string =>
    `${hex(start)}-${hex(start + BigInt(size))} rw-s ${offset} 00:10 99    anon_inode:[io_uring]\n`;
  const usual = line(ringAt, rings.length, '00000000') + line(sqesAt, sqes.length, '10000000');
  const scope = descriptorScope([ringFacts(ring)], {
    read: { maps: maps ?? usual },
    frozen: { memory: (_, address) => (address === ringAt ? rings : sqes) },
  });
  fileTable.checkpoint(scope);
  return scope;
}

/** What the memory kind adds: the address space, and where rings are in it. */
function withSpace(ring: Ring) {
  const zero = {
    offset: 0n,
    object: 0,
    kind: vmaKinds.io_uring,
    protection: 3,
    flags: 0,
    advice: 0,
  };
  const vma = (start: bigint, size: number): Made =>
    made(Vma, {
      ...zero,
      start,
      end: start + BigInt(size),
      maximum: 3,
      protection_key: 0,
      page_shift: 0,
    });
  const mm = Object.fromEntries(
    Mm.fields.map(({ name, field }) => [name, field.size === 8 ? 0n : 0]),
  );
  return (image: readonly Made[]): readonly Made[] => [
    made(Mm, mm as Mm),
    vma(ringAt, ringSize(ring)),
    vma(sqesAt, pages(ring.sq * 64)),
    ...image,
  ];
}

const node: Ring = { sq: 256, cq: 512, done: 5003, opcode: 29 };

describe('an idle ring', () => {
  test('is made before anything is mapped, where it was, and its counters go on', () => {
    const scope = ringScope(node);
    expect(scope.obstacles).toEqual([]);
    const plan = planned(scope, restore, { change: withSpace(node) });
    const calls = plan.calls('wipe');
    const maps = calls.filter(({ call, args }) => call === 'mmap' && args[4] !== -1);
    expect(maps.map(({ expect: at }) => at)).toEqual([ringAt, sqesAt]);
    const entered = calls.filter(({ call }) => call === 'io_uring_enter');
    expect(entered.reduce((sum, { args }) => sum + Number(args[1]), 0)).toBe(5003);
    const left = calls.slice(calls.findLastIndex(({ call }) => call === 'io_uring_enter'));
    expect(left.filter(({ call }) => call === 'pread64')).toHaveLength(6);
  });

  test('leaves nothing behind of what kept other addresses from being chosen', () => {
    const plan = planned(ringScope(node), restore, { change: withSpace(node) });
    const taken = new Map<bigint, bigint>();
    for (const { call, args, expect: at } of plan.calls('wipe')) {
      if (call === 'mmap')
        taken.set(at === undefined ? wordOf(args[0]) : BigInt(at), wordOf(args[1]));
      if (call !== 'munmap' || typeof args[0] === 'object') continue;
      const [start, length] = [wordOf(args[0]), wordOf(args[1])];
      for (const [from, size] of [...taken]) {
        if (from + size <= start || from >= start + length) continue;
        taken.delete(from);
        if (from < start) taken.set(from, start - from);
        if (from + size > start + length) taken.set(start + length, from + size - start - length);
      }
    }
    const sizes = [...taken].filter(([start]) => start === ringAt || start === sqesAt);
    expect(sizes).toEqual([
      [ringAt, BigInt(ringSize(node))],
      [sqesAt, 16384n],
    ]);
    // What else is left is the page beside the executor, whose munmap names it by its result.
    expect(taken.size).toBe(3);
  });

  test('keeps what was queued and what was not read', () => {
    const scope = ringScope({ ...node, queued: 3, unread: 5 });
    expect(scope.values(IoUring)).toMatchObject([
      { sq_head: 5003, sq_tail: 5006, cq_head: 4998, cq_tail: 5003 },
    ]);
  });

  test.for<[string, Partial<Ring>, boolean]>([
    ['zeros, of all entries', {}, true],
    ['the identity', { index: (place) => place }, true],
    ['another order', { index: (place) => 255 - place }, false],
    ['zeros, of the first entry alone', { opcode: 0 }, false],
    ['zeros, of a ring that was not used', { opcode: 0, done: 1 }, true],
  ])('has its order told from %s', ([, change, plain]) => {
    const ring = { ...node, ...change };
    const [record] = ringScope(ring).values(IoUring);
    expect(((record?.setup_flags ?? 0) & ioUringSetupFlags.NO_SQARRAY) !== 0).toBe(plain);
    const counters = { sqEntries: 256, cqEntries: 512, sqTail: ring.done };
    const all = { ...counters, sqHead: 0, cqHead: 0, cqTail: 0 };
    expect(hasPlainOrder(memory(ring), entries(ring), all)).toBe(plain);
  });

  test('of libuv alone may have its counters start anew', () => {
    const far = { ...node, done: replayMax + 1000 };
    const scope = ringScope(far);
    expect(scope.notes).toEqual(['descriptor 4: the counters of its ring start anew']);
    const plan = planned(scope, restore, { change: withSpace(far) });
    expect(plan.calls('wipe').length).toBeLessThan(60);
    expect(keepsNoCopies(entries(far))).toBe(true);
    const [told] = ringScope({ ...far, opcode: 1 }).obstacles;
    expect(told?.reason).toMatch(/too far to be brought back/);
  });
});

test('requests are replayed in batches that neither ring overflows', () => {
  fc.assert(
    fc.property(fc.nat(20_000), fc.nat(9), fc.nat(3), (total, sqBits, more) => {
      const [sq, cq] = [1 << sqBits, 1 << (sqBits + more)];
      let tail = 0;
      let head = 0;
      const isRight = batchesOf(total, sq, cq).every((batch) => {
        head = batch.head ?? head;
        tail += batch.count;
        return batch.count <= sq && tail - head <= cq && head <= tail - batch.count;
      });
      return isRight && tail === total;
    }),
  );
});

test('counters that start anew mean the same places', () => {
  for (const done of [0, 1, replayMax, replayMax + 777, 2 ** 32 - 1]) {
    const shift = shiftOf(done, 512);
    expect([shift % 512, done - shift <= replayMax]).toEqual([0, true]);
  }
});

describe('a ring is refused when', () => {
  test.for<[string, Partial<Ring>, RegExp]>([
    [
      'nothing is known of the thread that polls it',
      { lines: { SqThread: 12 } },
      /other credentials/,
    ],
    ['it is polled, and more is queued', { lines: { SqThread: 12 }, queued: 1 }, /are in flight/],
    [
      'requests are in flight',
      { lines: { CachedCqTail: 5002, CqTail: 5002 } },
      /5003 were submitted, 5002 completed/,
    ],
    [
      'a poll is in flight',
      { lines: { PollList: '\n  op=6, task_works=0' } },
      /requests are in flight/,
    ],
    [
      'completions wait',
      { lines: { CqOverflowList: '\n  user_data=0, res=0, flags=0' } },
      /wait for room/,
    ],
    ['files are registered', { lines: { UserFiles: 2 } }, /registered files/],
    ['buffers are registered', { lines: { UserBufs: 1 } }, /registered buffers/],
    ['it polls a network device', { lines: { NAPI: 'enabled' } }, /polls a network device/],
    ['its counters are not told', { lines: { CachedSqHead: '' } }, /does not tell its counters/],
    ['an eventfd is registered', { results: { io_uring_register: -16n } }, /registered eventfd/],
    ['it belongs to one thread', { results: { io_uring_register: -17n } }, /SINGLE_ISSUER/],
    ['it is not enabled', { results: { io_uring_enter: -77n } }, /not enabled yet/],
  ])('%s', ([, change, message]) => {
    const told = ringScope({ ...node, ...change }).obstacles;
    expect(told.map(({ reason, remedy }) => `${reason}: ${remedy}`)).toEqual([
      expect.stringMatching(message),
    ]);
  });

  test('its entries are of another size, or it is mapped otherwise', () => {
    const half = `${hex(ringAt)}-${hex(ringAt + 4096n)} rw-s 00000000 00:10 99 anon_inode:[io_uring]\n`;
    const sqes = `${hex(sqesAt)}-${hex(sqesAt + 4096n)} rw-s 10000000 00:10 99 anon_inode:[io_uring]\n`;
    expect(ringScope(node, half).obstacles[0]?.reason).toMatch(/not mapped as/);
    expect(ringScope(node, half + sqes).obstacles[0]?.reason).toMatch(/another size/);
  });

  test('a mapping is left of one that was closed', () => {
    const maps = '7f0000000000-7f0000001000 rw-s 00000000 00:10 5 anon_inode:[io_uring]\n';
    const scope = descriptorScope([], { read: { maps } });
    fileTable.checkpoint(scope);
    expect(scope.obstacles[0]?.thing).toBe(
      'mapping 7f0000000000-7f0000001000: anon_inode:[io_uring]',
    );
  });

  test.for<[string, Partial<IoUring>, string]>([
    ['entries are no power of two', { sq_entries: 255 }, 'sq_entries'],
    ['it has too many entries', { sq_entries: 65536 }, 'sq_entries'],
    ['completions are fewer than requests', { cq_entries: 128 }, 'cq_entries'],
    ['more is queued than it holds', { sq_tail: 5260 }, 'sq_tail'],
    ['more is unread than it holds', { cq_head: 4000 }, 'cq_head'],
    ['something is in flight', { sq_head: 5004, sq_tail: 5004 }, 'cq_tail'],
    ['its entries are mapped otherwise', { sqes_size: 4096n }, 'sqes_size'],
    ['its rings are mapped otherwise', { ring_size: 4096n }, 'ring_size'],
    ['its memory is not where it says', { ring_address: 0x1000n }, 'kind'],
    ['it was made with flags that are not known', { setup_flags: 1 }, 'setup_flags'],
    ['it has a processor for no thread', { setup_flags: 4 }, 'setup_flags'],
    ['it is polled, and more is queued', { setup_flags: 2, sq_tail: 5004 }, 'sq_tail'],
  ])('the image says that %s', ([, fields, field]) => {
    const scope = ringScope(node);
    const change = (image: readonly Made[]) => changing(IoUring, fields)(withSpace(node)(image));
    expect(thrown(() => planned(scope, restore, { change })).field).toBe(field);
  });
});

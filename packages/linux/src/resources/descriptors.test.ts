import fc from 'fast-check';
import { File, FileDesc, FileTable } from '@ckpt/format';
import { describe, expect, test } from 'vitest';
import { DescriptorMachine, type Open } from '../testing/descriptor-machine.ts';
import {
  changing,
  descriptorScope,
  numberOf,
  planned,
  word,
  type Opened,
} from '../testing/descriptor-world.ts';
import { made, thrown } from '../testing/fake-scope.ts';
import { fileTable } from './file-table.ts';

const restore = fileTable.restore.bind(fileTable);

/** Runs what the plan for these descriptions says. */
function after(table: readonly Opened[]): DescriptorMachine {
  const scope = descriptorScope(table);
  fileTable.checkpoint(scope);
  expect(scope.obstacles).toEqual([]);
  const machine = new DescriptorMachine();
  machine.run(planned(scope, restore));
  return machine;
}

type Draft = Omit<Opened, 'fds'>;

/** What a probe of a pipe says: size of its ring, bytes in flight. */
const ring =
  (pending: number): NonNullable<Opened['answer']> =>
  ({ call }) =>
    call === 'fcntl' ? { result: 65536n } : { result: 0n, out: [word(pending)] };

const flags = fc.constantFrom(0, 0o4000, 0o2000);

/** One description, or both ends of a pipe; each takes some numbers from those that are left. */
const kinds = fc.oneof(
  fc
    .record({
      mode: fc.constantFrom(0, 1, 2),
      extra: flags,
      position: fc.bigInt(0n, 1n << 40n),
      name: fc.nat(3),
    })
    .map(({ mode, extra, position, name }): readonly Draft[] => [
      { link: `/tmp/${name}`, flags: mode | extra, position, inode: BigInt(100 + name) },
    ]),
  fc
    .record({
      count: fc.bigInt(0n, (1n << 64n) - 2n),
      semaphore: fc.nat(1),
      extra: fc.constantFrom(0, 0o4000),
    })
    .map(({ count, semaphore, extra }): readonly Draft[] => [
      {
        link: 'anon_inode:[eventfd]',
        flags: 2 | extra,
        lines: `eventfd-count: ${count.toString(16)}\neventfd-id: ${count}\neventfd-semaphore: ${semaphore}\n`,
      },
    ]),
  fc
    .record({ inode: fc.nat(1 << 20), pending: fc.nat(65536), extra: fc.constantFrom(0, 0o4000) })
    .map(({ inode, pending, extra }): readonly Draft[] =>
      [0, 1].map((end) => ({
        link: `pipe:[${inode}]`,
        inode: BigInt(inode),
        flags: end | extra,
        answer: ring(pending),
        content: new Uint8Array(pending),
      })),
    ),
);

const tables = fc
  .array(
    fc.tuple(kinds, fc.array(fc.tuple(fc.nat(60), fc.boolean()), { minLength: 2, maxLength: 5 })),
    {
      maxLength: 8,
    },
  )
  .map((drafts) => {
    const used = new Set<number>();
    const take = (wanted: readonly (readonly [number, boolean])[]): number[] =>
      wanted.flatMap(([fd, close]) => {
        if (used.has(fd)) return [];
        used.add(fd);
        return close ? [-1 - fd] : [fd];
      });
    const links = new Set<string>();
    return drafts.flatMap(([group, numbers]): Opened[] => {
      const [first] = group;
      if (first === undefined || (group.length === 2 && links.has(first.link))) return [];
      const parts = group.map((_, index) =>
        take(numbers.filter((__, at) => at % group.length === index)),
      );
      // An end of a pipe that nobody has would make the other one another case.
      if (parts.some((part) => part.length === 0)) return [];
      links.add(first.link);
      return group.map((one, index) => ({ ...one, fds: parts[index] ?? [] }));
    });
  });

/** Numbers with what they lead to, and which of them lead to the same. */
function summary(machine: DescriptorMachine): readonly unknown[] {
  const opens: Open[] = [];
  const rings: object[] = [];
  const index = <T>(list: T[], value: T): number =>
    list.includes(value) ? list.indexOf(value) : list.push(value) - 1;
  return [...machine.table]
    .sort(([a], [b]) => a - b)
    .map(([fd, { open, closeOnExec }]) => {
      const name = open.what.startsWith('/') ? open.what : (open.what.split(' ')[0] ?? '');
      const which = open.ring === undefined ? -1 : index(rings, open.ring);
      return [fd, closeOnExec, name, index(opens, open), which, open.flags, open.position];
    });
}

function expected(table: readonly Opened[]): readonly unknown[] {
  const opens: Opened[] = [];
  const rings: string[] = [];
  const all = table.flatMap((opened) =>
    opened.fds.map((fd) => [numberOf(fd), fd < 0, opened] as const),
  );
  const index = <T>(list: T[], value: T): number =>
    list.includes(value) ? list.indexOf(value) : list.push(value) - 1;
  return all
    .sort(([a], [b]) => a - b)
    .map(([fd, closeOnExec, opened]) => {
      const { link, flags: mode = 2, position = 0n } = opened;
      const name = link.startsWith('/') ? link : link.startsWith('pipe') ? 'pipe' : 'eventfd2';
      const which = name === 'pipe' ? index(rings, link) : -1;
      return [fd, closeOnExec, name, index(opens, opened), which, mode, position];
    });
}

describe('a table of descriptors', () => {
  test('comes back as it was: numbers, close-on-exec, what is shared', () => {
    fc.assert(
      fc.property(tables, (table) => {
        expect(summary(after(table))).toEqual(expected(table));
      }),
      { numRuns: 300 },
    );
  });

  test('comes back when it is dense', () => {
    const table = Array.from({ length: 300 }, (_, index) => ({
      fds: [2 * index, -2 - 2 * index],
      link: index % 2 === 0 ? '/dev/null' : '/tmp/x',
      flags: 1,
      stat: index % 2 === 0 ? { mode: 0o20666, rdev: 0x103n } : {},
    }));
    expect(after(table).table.size).toBe(600);
  });

  test('is compared by kcmp only where descriptors look alike', () => {
    let compared = 0;
    const table = [
      { fds: [0, 3], link: '/dev/null', stat: { mode: 0o20666, rdev: 0x103n } },
      { fds: [1], link: '/dev/null', stat: { mode: 0o20666, rdev: 0x103n } },
      { fds: [2], link: '/tmp/x', position: 4n },
    ];
    const count = (a: number, b: number): number => {
      compared++;
      return Math.sign((a === 3 ? 0 : a) - (b === 3 ? 0 : b));
    };
    const scope = descriptorScope(table, { frozen: { compareFiles: (_, a, b) => count(a, b) } });
    fileTable.checkpoint(scope);
    expect(scope.values(File)).toHaveLength(3);
    expect(compared).toBeLessThan(8);
  });

  test('is asked by equality where the host has no order', () => {
    const table = [
      { fds: [0, 3], link: '/tmp/x' },
      { fds: [1], link: '/tmp/x' },
    ];
    const scope = descriptorScope(table);
    Reflect.deleteProperty(scope.frozen, 'compareFiles');
    fileTable.checkpoint(scope);
    expect(scope.values(FileTable)).toEqual([{ objref: 1, count: 3 }]);
    expect(scope.values(File)).toHaveLength(2);
  });
});

describe('an image with a table that cannot be', () => {
  const scope = descriptorScope([
    { fds: [0], link: '/tmp/x' },
    { fds: [1], link: '/tmp/y', inode: 8n },
  ]);
  fileTable.checkpoint(scope);

  /** The image with another table. */
  const broken = (alter: (entries: readonly FileDesc[]) => readonly FileDesc[], count?: number) =>
    thrown(() =>
      planned(scope, restore, {
        change: (image) =>
          image.map((one) => {
            if (one.record.type !== FileTable.type) return one;
            const entries = alter((one.arrays?.[0] ?? []) as readonly FileDesc[]);
            const value = { objref: 1, count: count ?? entries.length };
            return made(FileTable, value, { arrays: [entries] });
          }),
      }),
    );

  test.for<[string, string, (entries: readonly FileDesc[]) => readonly FileDesc[], number?]>([
    ['another count', 'count', (entries) => entries, 3],
    ['a number twice', 'fd', ([a]) => (a === undefined ? [] : [a, a])],
    ['a number under 0', 'fd', (all) => all.map((each) => ({ ...each, fd: each.fd - 1 }))],
    ['a number over fs.nr_open', 'fd', (all) => all.map((each) => ({ ...each, fd: 1 << 20 }))],
    ['unknown flags', 'flags', (all) => all.map((each) => ({ ...each, flags: 2 }))],
    ['a file that nothing leads to', 'objref', ([a]) => (a === undefined ? [] : [a])],
  ])('is refused for %s', ([, field, alter, count]) => {
    const error = broken(alter, count);
    expect([error.code, error.field]).toEqual(['EINVAL', field]);
  });

  test.for<[string, Partial<File>, string, string]>([
    ['of an unknown kind', { kind: 99 }, 'kind', 'ENOSYS'],
    ['that only the invoker could open', { trusted: 1 }, 'trusted', 'EACCES'],
    ['at no offset', { position: 1n << 63n }, 'position', 'EINVAL'],
    ['with locks that are not there', { locks: 1 }, 'type', 'EINVAL'],
  ])('is refused for a file %s', ([, fields, field, code]) => {
    const error = thrown(() => planned(scope, restore, { change: changing(File, fields) }));
    expect([error.code, error.field]).toEqual([code, field]);
  });
});

import {
  EpollItems,
  Eventfd,
  File,
  Path,
  Pipe,
  Socket,
  Timerfd,
  Tty,
  type RecordType,
} from '@ckpt/format';
import { describe, expect, test } from 'vitest';
import {
  changing,
  descriptorScope,
  planned,
  statLine,
  word,
  type Opened,
} from '../testing/descriptor-world.ts';
import { fileStat, thrown } from '../testing/fake-scope.ts';
import { inet, socketAnswers, unix, type FakeSocket } from '../testing/socket-answers.ts';
import { fileTable } from './file-table.ts';

const restore = fileTable.restore.bind(fileTable);

const pipe = (end: 0 | 1, more: Partial<Opened> = {}): Opened => ({
  fds: [3 + end],
  link: 'pipe:[77]',
  inode: 77n,
  flags: end,
  answer: ({ call }) =>
    call === 'fcntl' ? { result: 4096n } : { result: 0n, out: [word(more.content?.length ?? 0)] },
  ...more,
});

const socket = (facts: FakeSocket, more: Partial<Opened> = {}): Opened => ({
  fds: [3],
  link: 'socket:[88]',
  inode: 88n,
  answer: socketAnswers(facts),
  ...more,
});

/** Of a machine whose interface lo is in 224.0.0.1 and in another group. */
const igmp =
  'Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n' +
  '1\tlo        :     2      V3\n\t\t\t\t030201EF     1 0:00000000\t\t0\n';
const igmp6 = '4    eth0            ff0200000000000000000001ff000002     1 00000004 0\n';

/** struct group_filter of a socket that hears only whom it has named (MCAST_INCLUDE). */
const chosen = new Uint8Array(144).fill(1, 136, 137);

const listening: FakeSocket = { listens: true, local: inet(80), tcp: [10, 0, 128] };

const eventfd: Opened = {
  fds: [3],
  link: 'anon_inode:[eventfd]',
  lines: 'eventfd-count:                2a\neventfd-id: 1\neventfd-semaphore: 1\n',
};
const epoll = (item: string): Opened => ({
  fds: [4],
  link: 'anon_inode:[eventpoll]',
  lines: `tfd:        ${item} pos:0 ino:40e sdev:10\n`,
});
const timer: Opened = {
  fds: [3],
  link: 'anon_inode:[timerfd]',
  lines: 'clockid: 1\nticks: 0\nsettime flags: 01\nit_value: (99, 5)\nit_interval: (1, 0)\n',
};
const signals: Opened = {
  fds: [3],
  link: 'anon_inode:[signalfd]',
  lines: 'sigmask:\t0000000000004002\n',
};
/** An inotify with one watch, and so many bytes of events. */
const watching = (watch: string, handle = '', unread = 0): Opened => ({
  fds: [5],
  link: 'anon_inode:inotify',
  flags: 0,
  lines: watch === '' ? '' : `inotify ${watch} ignored_mask:0 ${handle}\n`,
  answer: () => ({ result: 0n, out: [word(unread)] }),
});
const device = (link: string, rdev: bigint): Opened => ({
  fds: [3],
  link,
  stat: { mode: 0o20666, rdev },
});
const terminal = device('/dev/pts/1', 0x8801n);

describe('a descriptor that cannot be carried is refused, and said with what to do:', () => {
  const holders = { holders: () => ['12 (tail)'] };

  test.for<[string, readonly Opened[], RegExp, Parameters<typeof descriptorScope>[1]?]>([
    [
      'no kind',
      [{ fds: [5], link: 'anon_inode:[new]' }],
      /^descriptor 5: anon_inode:\[new\]: no kind of/,
    ],
    ['a namespace', [{ fds: [5], link: 'net:[40]' }], /leads to a namespace: close it/],
    [
      'shared memory by map_files',
      [{ fds: [5], link: '/dev/zero (deleted)', stat: { nlink: 0 } }],
      /memory without a file, reached through map_files/,
    ],
    [
      'a watch without a handle',
      [watching('wd:1 ino:2a sdev:fe00000 mask:2')],
      /inode 42 of device 254:0: no name/,
    ],
    [
      'a watch of what is not found',
      [
        watching(
          'wd:1 ino:2a sdev:fe00000 mask:2',
          'fhandle-bytes:8 fhandle-type:1 f_handle:2a000000',
        ),
      ],
      /inode 42 of device 254:0: no name/,
    ],
    ['an event that nobody has read', [watching('', '', 32)], /32 bytes of events are there/],
    [
      'a lease',
      [{ fds: [5], link: '/tmp/x', lines: 'lock:\t1: LEASE  ACTIVE    READ 9 fe:00:7 0 EOF\n' }],
      /it has a lease/,
    ],
    ['a device', [device('/dev/fuse', 0xae5n)], /a device with a state of its own/],
    ['the far side of a terminal', [device('/dev/ptmx', 0x502n)], /the far side of a terminal/],
    [
      'a symbolic link',
      [{ fds: [5], link: '/tmp/l', flags: 0o10000000, stat: { mode: 0o120777 } }],
      /a symbolic link, not what it leads to/,
    ],
    [
      'a deleted directory',
      [{ fds: [5], link: '/tmp/d (deleted)', stat: { mode: 0o40755, nlink: 0 } }],
      /it was deleted/,
    ],
    [
      'one end of a pipe',
      [pipe(0)],
      /leads to somebody whom this one cannot see: close it .* COMMAND 3>&-/,
    ],
    ['standard input from a pipe', [pipe(0, { fds: [0] })], /COMMAND < \/dev\/null$/],
    [
      'standard output to a pipe',
      [pipe(1, { fds: [1, 2] })],
      /^descriptors 1, 2: .* leads to 12 \(tail\): .* > out\.log 2>&1/,
      { frozen: holders },
    ],
    [
      'a pipe that somebody else has, too',
      [pipe(0), pipe(1)],
      /12 \(tail\) holds this pipe, too/,
      { frozen: holders },
    ],
    [
      'packets in a pipe',
      [pipe(0), pipe(1, { flags: 0o40001, content: word(1) })].map((one) => ({
        ...one,
        content: word(1),
        answer: pipe(0, { content: word(1) }).answer ?? (() => undefined),
      })),
      /4 bytes in flight: they are packets/,
    ],
    ['an eventfd without a counter', [{ ...eventfd, lines: '' }], /does not tell its counter/],
    [
      'a timer of another clock',
      [{ ...timer, lines: 'clockid: 2\n' }],
      /does not tell how it is set/,
    ],
    ['a receiver of unknown signals', [{ ...signals, lines: '' }], /does not tell which signals/],
    [
      'an epoll that watches what is closed',
      [eventfd, epoll('5 events: 19 data: 5')],
      /which watches what descriptor 5 was: no descriptor/,
    ],
    [
      'an epoll that watches another file under that number',
      [{ ...eventfd, inode: 1n }, epoll('3 events: 19 data: 5')],
      /watches what descriptor 3 was/,
    ],
    [
      'two terminals',
      [terminal, device('/dev/pts/2', 0x8802n)].map((one, at) => ({ ...one, fds: [at] })),
      /a second terminal/,
    ],
    ['another terminal', [terminal], /a second terminal/, { read: { stat: statLine(0x8802) } }],
    [
      'a connection that was to go on, and cannot',
      [socket({ local: inet(80), peer: inet(999, 1, 2, 3, 4), tcp: [1, 0, 0] })],
      /^descriptor 3: socket:\[88\], TCP 127\.0\.0\.1:80 -> 1\.2\.3\.4:999 ESTABLISHED: .*: pass --tcp=close/,
      { options: { tcp: 'repair' } },
    ],
    [
      'a bound interface',
      [socket({ ...listening, options: { '1:25': Uint8Array.of(108, 111, 0) } })],
      /SO_BINDTODEVICE/,
    ],
    [
      'a filter',
      [
        socket(
          { ...listening, options: { '1:26': new Uint8Array(0) } },
          {
            answer: (call) =>
              call.args[2] === 26
                ? { result: 0n, out: [new Uint8Array(0), word(4)] }
                : socketAnswers(listening)(call),
          },
        ),
      ],
      /SO_ATTACH_FILTER/,
    ],
    [
      'a netlink socket',
      [socket({ domain: 16, type: 3, protocol: 0, local: Uint8Array.of(16, 0) })],
      /netlink.*: a netlink socket cannot/,
    ],
    [
      'MPTCP',
      [socket({ ...listening, protocol: 262 })],
      /MPTCP 127\.0\.0\.1:80 LISTEN: a MPTCP socket/,
    ],
    [
      'a connected UNIX socket',
      [socket({ domain: 1, protocol: 0, local: Uint8Array.of(1, 0), peer: unix('/run/x') })],
      /UNIX stream -> \/run\/x: it is connected/,
    ],
    [
      'a relative UNIX name',
      [socket({ domain: 1, protocol: 0, listens: true, local: unix('x.sock') })],
      /x\.sock, which is relative/,
    ],
    [
      'a deleted UNIX name',
      [socket({ domain: 1, protocol: 0, listens: true, local: unix('/run/x') })],
      /\/run\/x, which it is bound to, was deleted/,
    ],
    [
      'a multicast group with chosen senders',
      [socket({ type: 2, protocol: 17, options: { '0:48': chosen } })],
      /UDP.*: it hears some senders of the multicast group 239\.1\.2\.3 only: leave the group/,
      { read: { 'net/igmp': igmp } },
    ],
    [
      'a multicast group of IPv6 with chosen senders',
      [socket({ domain: 10, type: 2, protocol: 17, options: { '41:48': chosen } })],
      /UDP.*: it hears some senders of the multicast group ff02::1:ff00:2 only: leave the group/,
      { read: { 'net/igmp': igmp, 'net/igmp6': igmp6 } },
    ],
    [
      'options of each packet',
      [socket({ ...listening, options: { '0:4': Uint8Array.of(7, 3, 4, 0) } })],
      /TCP 127\.0\.0\.1:80 LISTEN: its packets carry options \(IP_OPTIONS\)/,
    ],
    [
      'sticky headers of IPv6',
      [
        socket({
          ...{ domain: 10, type: 2, protocol: 17 },
          options: { '41:54': new Uint8Array(8), '41:59': new Uint8Array(8) },
        }),
      ],
      /UDP.*: its packets carry options \(IPV6_HOPOPTS, IPV6_DSTOPTS\)/,
    ],
    [
      'descriptors that wait at a UNIX socket',
      [
        socket(
          { domain: 1, type: 2, protocol: 0, local: Uint8Array.of(1, 0, 0, 97) },
          { lines: 'scm_fds: 2\n' },
        ),
      ],
      /UNIX datagram.*: descriptors are on their way through it \(SCM_RIGHTS\): 2/,
    ],
    [
      'a silent socket',
      [socket({}, { answer: () => undefined })],
      /does not tell what kind of socket/,
    ],
  ])('%s', ([, table, message, more]) => {
    const scope = descriptorScope(table, more);
    fileTable.checkpoint(scope);
    const told = scope.obstacles.map(
      ({ thing, reason, remedy }) => `${thing}: ${reason}: ${remedy}`,
    );
    expect(told).toContainEqual(expect.stringMatching(message));
    for (const { thing, remedy } of scope.obstacles) {
      expect(thing).toMatch(/^descriptors? \d/);
      expect(remedy).not.toBe('');
    }
  });
});

describe('a record that no checkpoint writes is refused at restart:', () => {
  const listener = [socket(listening)];
  const broken = <T>(
    name: string,
    table: readonly Opened[],
    record: RecordType<T>,
    fields: Partial<T>,
    field: string,
    code = 'EINVAL',
  ) => [name, table, changing(record, fields), field, code] as const;

  test.for([
    broken('a counter over its end', [eventfd], Eventfd, { count: (1n << 64n) - 1n }, 'count'),
    broken('half a semaphore', [eventfd], Eventfd, { semaphore: 2 }, 'semaphore'),
    broken('a ring of no power of two', [pipe(0), pipe(1)], Pipe, { capacity: 5000 }, 'capacity'),
    broken('a ring of 2 GiB', [pipe(0), pipe(1)], Pipe, { capacity: 2 ** 31 }, 'capacity'),
    broken('more than a ring holds', [pipe(0), pipe(1)], Pipe, { pending: 4097 }, 'pending'),
    broken('packets with bytes', [pipe(0), pipe(1)], Pipe, { packets: 1, pending: 1 }, 'packets'),
    broken('a pipe with a path', [pipe(0), pipe(1)], Pipe, { path: 1 }, 'path'),
    broken('a third end', [pipe(0), pipe(1)], File, { end: 3 }, 'end'),
    broken(
      'another count of items',
      [eventfd, epoll('3 events: 1 data: 0')],
      EpollItems,
      { count: 2 },
      'count',
    ),
    broken('a clock of a process', [timer], Timerfd, { clock: 2 }, 'clock'),
    broken('unknown flags of a timer', [timer], Timerfd, { flags: 4 }, 'flags'),
    broken('a timer before all time', [timer], Timerfd, { remaining: -1n }, 'remaining'),
    broken('an object of another kind', [signals], File, { object: 99 }, 'objref'),
    broken('a raw socket', listener, Socket, { type: 3 }, 'protocol', 'ENOSYS'),
    broken('a socket in no state', listener, Socket, { state: 9 }, 'state'),
    broken('a connected TCP socket', listener, Socket, { state: 3 }, 'state'),
    broken('a backlog without end', listener, Socket, { backlog: 2 ** 31 }, 'backlog'),
    broken('an address of another family', listener, Socket, { domain: 10 }, 'address'),
    broken('another end that is not there', listener, Socket, { peer: 1 }, 'peer'),
  ])('%s', ([, table, change, field, code]) => {
    const scope = descriptorScope(table);
    fileTable.checkpoint(scope);
    expect(scope.obstacles).toEqual([]);
    const error = thrown(() => planned(scope, restore, { change }));
    if (field === 'objref') expect(error.code).toBe('EINVAL');
    else expect([error.code, error.field]).toEqual([code, field]);
  });

  test('an option that is none of ours', () => {
    const scope = descriptorScope([socket({ ...listening, options: { '1:9': word(1) } })]);
    fileTable.checkpoint(scope);
    const error = thrown(() =>
      planned(scope, restore, {
        change: (image) =>
          image.map((one) =>
            one.record.type === Socket.type
              ? { ...one, arrays: [[{ level: 1, name: 26, length: 4, value: word(1) }]] }
              : one,
          ),
      }),
    );
    expect([error.code, error.field]).toEqual(['EINVAL', 'options']);
  });
});

/** A process group of its own in somebody's session. */
const groupLine = (foreground: number): string =>
  statLine(0x8801, foreground).replace('4242 4242', '4242 4000');

describe('a terminal', () => {
  const settings = new Uint8Array(36).fill(5);
  const answer = () => ({ result: 0n, out: [settings] });

  test('is the one of whoever restarts, with the settings of a program in its foreground', () => {
    const scope = descriptorScope([{ ...terminal, answer }], {
      read: { stat: statLine(0x8801, 4242) },
    });
    fileTable.checkpoint(scope);
    const plan = planned(scope, restore, { options: { tty: '/dev/pts/9' } });
    const called = plan.calls('descriptors').map(({ call, args }) => [call, ...args]);
    expect(called[0]).toMatchObject([
      'openat',
      -100,
      { blob: new TextEncoder().encode('/dev/pts/9\0') },
      0o402,
    ]);
    expect(called[1]).toMatchObject(['ioctl', {}, 0x5402, { blob: settings }]);
  });

  test('keeps the settings that a shell has made', () => {
    const scope = descriptorScope([{ ...terminal, answer }], {
      read: { stat: statLine(0x8801, 7) },
    });
    fileTable.checkpoint(scope);
    const plan = planned(scope, restore, { options: { tty: '/dev/pts/9' } });
    expect(plan.calls('descriptors').map(({ call }) => call)).not.toContain('ioctl');
  });

  test.for([
    ['leads its session', statLine(0x8801, 4242), {}, [0x540e], 0],
    ['has it to give', groupLine(4242), { foreground: true }, [0x5410], 0],
    ['has not got it', groupLine(4242), { foreground: false }, undefined, 1],
    ['leaves', groupLine(4242), { foreground: true, detached: true }, undefined, 1],
    ['was in the background', groupLine(7), { foreground: true }, undefined, 0],
  ] as const)('has its foreground where who restarts it %s', ([, stat, options, job, notes]) => {
    const scope = descriptorScope([{ ...terminal, answer }], { read: { stat } });
    fileTable.checkpoint(scope);
    const plan = planned(scope, restore, { options: { tty: '/dev/pts/9', ...options } });
    const called = plan.calls('last').map(({ args }) => args.slice(0, 2));
    expect(called).toMatchObject(job === undefined ? [] : [[3, ...job]]);
    expect(plan.notes).toHaveLength(notes);
  });

  test('is missed by a restart that has none', () => {
    const scope = descriptorScope([terminal]);
    fileTable.checkpoint(scope);
    const error = thrown(() => planned(scope, restore));
    expect(error.code).toBe('ENOTTY');
    expect(error.sentence).toMatch(/restart it from a terminal/);
    expect(scope.values(Tty)).toHaveLength(1);
  });
});

describe('a deleted file', () => {
  const deleted: Opened = {
    fds: [3],
    link: '/tmp/x (deleted)',
    flags: 2,
    stat: { nlink: 0, size: 5000n },
  };

  test('comes back from the store, under no name', () => {
    const scope = descriptorScope([deleted]);
    fileTable.checkpoint(scope);
    const plan = planned(scope, restore);
    const names = plan.calls('descriptors').map(({ call }) => call);
    expect(names.slice(0, 2)).toEqual(['openat', 'unlink']);
    const load = plan.steps.find(({ op }) => op === 'load');
    expect(load).toMatchObject({ length: 5000, index: 0, to: { offset: 0n } });
    expect(plan.notes).toEqual([]);
  });

  test('is filled where it had something, and sealed when it is filled', () => {
    const seals = 4;
    const data = [1n, 3n].map((page) => ({ offset: page * 4096n, length: 900n }));
    const memfd = { ...deleted, link: '/memfd:x (deleted)', stat: { nlink: 0, size: 20_000n } };
    const scope = descriptorScope([memfd], { frozen: { extents: () => ({ seals, data }) } });
    fileTable.checkpoint(scope);
    const plan = planned(scope, restore);
    expect(plan.steps.filter(({ op }) => op === 'load')).toMatchObject([
      { length: 4096, index: 0, to: { offset: 4096n } },
      { length: 4096, index: 1, to: { offset: 12288n } },
    ]);
    const names = plan.calls('descriptors').map(({ call }) => call);
    expect(names[0]).toBe('memfd_create');
    const added = plan.calls().find(({ args }) => args[1] === 1033);
    expect(added?.args).toEqual([expect.any(Number), 1033, 4]);
  });

  test.for<[string, Partial<Path>, string, string]>([
    ['more pages than bytes', { pages: 3n }, 'EINVAL', 'pages'],
    ['other ranges than were said', { runs: 2 }, 'EINVAL', 'runs'],
    ['unknown seals', { seals: 0x100 }, 'ENOSYS', 'seals'],
    ['another type', { mode: 0o040755 }, 'EINVAL', 'mode'],
    ['no name of a memfd', { flags: 17 }, 'EINVAL', 'name'],
  ])('of %s is refused', ([, fields, code, field]) => {
    const data = [{ offset: 4096n, length: 904n }];
    const scope = descriptorScope([deleted], {
      frozen: { extents: () => ({ seals: undefined, data }) },
    });
    fileTable.checkpoint(scope);
    const error = thrown(() => planned(scope, restore, { change: changing(Path, fields) }));
    expect([error.code, error.field]).toEqual([code, field]);
  });

  test('comes back in /tmp when its directory has gone', () => {
    const scope = descriptorScope([{ ...deleted, link: '/gone/x (deleted)' }]);
    fileTable.checkpoint(scope);
    const plan = planned(scope, restore, { files: { '/tmp': fileStat({ mode: 0o41777 }) } });
    expect(plan.notes).toEqual([
      expect.stringMatching(/^\/gone is gone: the deleted file \/gone\/x/),
    ]);
  });
});

describe('a listening socket', () => {
  test('tells of connections that wait, and binds past those that linger', () => {
    const scope = descriptorScope([socket({ ...listening, tcp: [10, 3, 128] })]);
    fileTable.checkpoint(scope);
    expect(scope.notes).toEqual([expect.stringMatching(/3 connections that wait to be accepted/)]);
    const calls = planned(scope, restore).calls('descriptors');
    expect(calls.map(({ call }) => call)).toEqual([
      ...['socket', 'setsockopt', 'bind', 'listen', 'setsockopt'],
      ...['dup3', 'close'],
    ]);
    expect(calls[2]?.what).toMatch(/^bind 127\.0\.0\.1:80: when it is in use/);
    expect(calls[3]?.args[1]).toBe(128);
  });

  test('of datagrams tells of those that wait, be they empty', () => {
    const waiting: FakeSocket = { type: 2, protocol: 17, local: inet(53) };
    const tables = [socket({ ...waiting, unread: 7 }), socket(waiting, { events: 1 })];
    for (const table of tables) {
      const scope = descriptorScope([table]);
      fileTable.checkpoint(scope);
      expect(scope.notes).toEqual([expect.stringMatching(/datagrams that were not read yet/)]);
    }
  });

  test('of UNIX takes the place of a dead one alone', () => {
    const local = unix('/run/x');
    const facts = { domain: 1, protocol: 0, listens: true, local };
    const there = fileStat({ mode: 0o140755 });
    const scope = descriptorScope([socket(facts)], { stat: { 'root/run/x': there } });
    fileTable.checkpoint(scope);
    const calls = planned(scope, restore, { files: { '/run/x': there } }).calls('descriptors');
    const connect = calls.find(({ call }) => call === 'connect');
    expect(connect).toMatchObject({ expect: -111 });
    expect(calls.map(({ call }) => call)).toContain('unlink');
    const other = thrown(() => planned(scope, restore, { files: { '/run/x': fileStat() } }));
    expect(other.code).toBe('EADDRINUSE');
  });
});

import type { Call } from '@ckpt/engine';
import { connectionFates, SocketInet } from '@ckpt/format';
import { describe, expect, test } from 'vitest';
import {
  changing,
  descriptorScope,
  planned,
  word,
  type Opened,
} from '../testing/descriptor-world.ts';
import { thrown } from '../testing/fake-scope.ts';
import { inet, socketAnswers, type FakeSocket } from '../testing/socket-answers.ts';
import { fileTable } from './file-table.ts';

const restore = fileTable.restore.bind(fileTable);
const facts: FakeSocket = {
  local: inet(80),
  peer: inet(999, 1, 2, 3, 4),
  tcp: [1, 0, 0],
  options: { '1:2': word(1), '6:1': word(1), '1:7': word(50_000), '1:8': word(60_000) },
};

const socket = (more: FakeSocket = facts, events = 5): Opened => ({
  ...{ fds: [3], link: 'socket:[88]', inode: 88n, events },
  answer: socketAnswers(more),
});

const received = Uint8Array.of(1, 2, 3);
const sending = Uint8Array.of(4, 5, 6, 7, 8);

/** A connection in repair mode that has 3 bytes for its reader, 2 on their way, and 3 to be sent. */
function repair(_task: unknown, _fd: number, calls: readonly Call[]) {
  let queue = 0;
  return calls.map(({ call, args }) => {
    if (call === 'recvfrom') {
      const bytes = queue === 1 ? received : sending;
      return { result: BigInt(bytes.length), out: [bytes] };
    }
    if (call === 'ioctl') return { result: 0n, out: [word(args[1] === 0x541b ? 3 : 3)] };
    if (call === 'setsockopt') {
      const [, , , value] = args;
      if (typeof value === 'object' && 'in' in value) queue = value.in[0] ?? 0;
      return { result: 0n, out: [] };
    }
    const info = new Uint8Array(104);
    info.set([1, 0, 0, 0, 0, 7, 0x97]);
    const values: Readonly<Record<number, Uint8Array>> = {
      2: word(1460),
      11: info,
      21: word(queue === 1 ? 1003 : -10),
      24: word(77),
      29: Uint8Array.from({ length: 20 }, (_, index) => (index % 4 === 0 ? 9 : 0)),
    };
    const value = values[Number(args[2])] ?? new Uint8Array(0);
    return { result: 0n, out: [value, word(value.length)] };
  });
}

const host = { frozen: { repair, dies: true } };
const recordOf = (scope: ReturnType<typeof descriptorScope>) =>
  scope.emitted.find(({ type }) => type === SocketInet.type)?.value as SocketInet;

function checkpoint(opened: Opened, more: Parameters<typeof descriptorScope>[1]) {
  const scope = descriptorScope([opened], more);
  fileTable.checkpoint(scope);
  expect(scope.obstacles).toEqual([]);
  return scope;
}

const namesOf = (plan: ReturnType<typeof planned>, section: 'descriptors' | 'connections') =>
  plan.calls(section).map(({ call, args }) => [call, ...args.slice(1, 3)]);

describe('a connection', () => {
  test('is written with its numbers and queues', () => {
    const scope = checkpoint(socket(), host);
    expect(recordOf(scope)).toMatchObject({
      ...{ fate: connectionFates.CARRIED, state: 1, ended: 0, mss: 1460, options: 7 },
      ...{ send_scale: 7, receive_scale: 9, timestamp: 77, receive_window: 9 },
      // Numbers wrap around.
      ...{ send_sequence: 2 ** 32 - 15, receive_sequence: 1000 },
      ...{ received: 3, sent: 2, unsent: 3, send_buffer: 50_000, receive_buffer: 60_000 },
    });
    expect(scope.notes).toEqual([expect.stringMatching(/^a packet filter .*inet ckpt-4242-/)]);
  });

  test('is put together in repair mode, and goes on when everything is there', () => {
    const plan = planned(checkpoint(socket(), host), restore);
    const calls = namesOf(plan, 'descriptors');
    expect(calls[1]).toMatchObject(['setsockopt', 6, 19]);
    const order = calls.map(([call, , name]) => (call === 'setsockopt' ? name : call));
    expect(order.indexOf('bind')).toBeLessThan(order.indexOf(21));
    expect(order.lastIndexOf(21)).toBeLessThan(order.indexOf('connect'));
    expect(order.indexOf('connect')).toBeLessThan(order.indexOf(22));
    // The size of segments (TCP_MAXSEG) is reckoned from what is known by then, and is not the user's.
    expect(order.indexOf(2)).toBeLessThan(order.indexOf('connect'));
    expect(order.lastIndexOf(2)).toBeGreaterThan(order.indexOf('connect'));
    // The end of repair mode would clear it.
    expect(calls).not.toContainEqual(['setsockopt', 1, 2]);
    expect(plan.steps.filter(({ op }) => op === 'load')).toMatchObject([
      { length: 3, index: 0 },
      { length: 2, index: 1 },
      { length: 3, index: 2 },
    ]);
    expect(namesOf(plan, 'connections').map(([call]) => call)).toEqual([
      ...['socket', 'write', 'close'],
      ...['setsockopt', 'setsockopt'],
    ]);
  });

  test('is closed when told at restart, in good order', () => {
    const scope = checkpoint(socket(), host);
    const plan = planned(scope, restore, { options: { tcp: 'close' } });
    expect(namesOf(plan, 'connections').at(-1)).toEqual(['shutdown', 2]);
  });

  test('is found closed where it cannot be carried on, and that is said', () => {
    const scope = checkpoint(socket(), {});
    expect(scope.notes[0]).toMatch(/TCP 127\.0\.0\.1:80 -> 1\.2\.3\.4:999: .* find it closed/);
    expect(recordOf(scope).fate).toBe(connectionFates.CUT);
    const plan = planned(scope, restore);
    const names = plan.calls('descriptors').map(({ call }) => call);
    expect(names.filter((name) => name !== 'setsockopt').slice(0, 9)).toEqual([
      ...['socket', 'bind', 'listen', 'getsockname'],
      ...['socket', 'connect', 'accept4', 'close', 'close'],
    ]);
    expect(plan.calls('connections')).toEqual([]);
  });

  test.for([
    [{ repairs: false, addresses: ['127.0.0.1'] }, /CAP_NET_ADMIN/],
    [{ repairs: true, addresses: ['10.0.0.1'] }, /1\.1\.1\.1 is no address of this machine/],
  ] as const)('is found closed on another machine %#', ([connections, why]) => {
    const opened = socket({ ...facts, local: inet(80, 1, 1, 1, 1) });
    const scope = checkpoint(opened, host);
    const plan = planned(scope, restore, { system: { connections } });
    expect(plan.notes).toEqual([expect.stringMatching(why)]);
    const how = { system: { connections }, options: { tcp: 'repair' } };
    const error = thrown(() => planned(scope, restore, how));
    expect([error.code, error.field]).toEqual(['EPERM', 'fate']);
  });

  test.for([
    ['ended', 0x2015, connectionFates.ENDED],
    ['broken', 0x201d, connectionFates.RESET],
  ] as const)('that has %s is that again', ([, events, fate]) => {
    const scope = checkpoint(socket({ local: inet(80), tcp: [7, 0, 0] }, events), {});
    expect(recordOf(scope).fate).toBe(fate);
    const names = planned(scope, restore).calls('descriptors');
    const isReset = names.some(({ call, args }) => call === 'setsockopt' && args[2] === 13);
    expect(isReset).toBe(fate === connectionFates.RESET);
  });

  test.for([
    ['fate', 9],
    ['ended', 4],
    ['received', 2 ** 31],
    ['send_scale', 15],
    ['send_buffer', 2 ** 31],
    ['buffer_lock', 4],
  ] as const)('with a wrong %s is refused', ([field, value]) => {
    const scope = checkpoint(socket(), host);
    const change = changing(SocketInet, { [field]: value });
    const error = thrown(() => planned(scope, restore, { change }));
    expect([error.code, error.field]).toEqual(['EINVAL', field]);
  });
});

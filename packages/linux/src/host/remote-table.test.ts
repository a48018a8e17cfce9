import { describe, expect, test } from 'vitest';
import { arenaCall } from './executor-code.ts';
import { callNumber, remoteTables } from './remote-table.ts';

const base = 0x7000_0000n;

describe('a table of remote calls', () => {
  test('places arguments behind the calls, aligned, without overlap', () => {
    const [table, ...more] = remoteTables(
      [
        { call: 'read', args: [3, { out: 5 }, 5] },
        { call: 'write', args: [-1, { in: Uint8Array.of(1, 2, 3) }, 3n] },
        { call: 'getsockopt', args: [4, 1, 3, { out: 4 }, { inout: Uint8Array.of(4, 0, 0, 0) }] },
      ],
      4096,
    );
    if (table === undefined) throw new Error('no table');
    expect(more).toEqual([]);
    expect([table.count, table.size]).toEqual([3, 4096]);
    const arena = table.encode(base);
    const word = (call: number, index: number): bigint =>
      arena.readBigUInt64LE(arenaCall.size * (call + 1) + index * 8);
    expect([word(0, 0), word(0, 1), word(0, 3)]).toEqual([0n, 3n, 5n]);
    expect(word(1, 1)).toBe(2n ** 64n - 1n);
    const places = [word(0, 2), word(1, 2), word(2, 4), word(2, 5)].map((at) => Number(at - base));
    expect(places).toEqual([256, 272, 288, 304]);
    expect([...arena.subarray(272, 275)]).toEqual([1, 2, 3]);
    expect(arena[304]).toBe(4);

    arena.writeBigInt64LE(-9n, arenaCall.size + arenaCall.result);
    arena.write('hello', 256);
    const [read, written, option] = table.decode(Buffer.concat([arena, Buffer.alloc(4096)]));
    expect(read).toEqual({ result: -9n, out: [new TextEncoder().encode('hello')] });
    expect(written).toEqual({ result: 0n, out: [] });
    expect(option?.out.map((bytes) => bytes.length)).toEqual([4, 4]);
  });

  test('is split when the arguments are huge', () => {
    const call = { call: 'read', args: [0, { out: 700_000 }, 700_000] };
    expect(remoteTables([call, call, call], 4096).map(({ count }) => count)).toEqual([1, 1, 1]);
    expect(remoteTables([], 4096)).toEqual([]);
  });

  test('takes no call that would harm the thread, and none that is unknown', () => {
    const code = (call: string, args: number[] = []): unknown => {
      try {
        remoteTables([{ call, args }], 4096);
        return undefined;
      } catch (error) {
        return (error as { code?: unknown }).code;
      }
    };
    for (const call of ['nanosleep', 'futex', 'execve', 'rt_sigreturn', 'exit_group']) {
      expect(code(call)).toBe('EINVAL');
    }
    expect(code('no_such_call')).toBe('ENOSYS');
    expect(code('constructor')).toBe('ENOSYS');
    expect(code('getpid', [1, 2, 3, 4, 5, 6, 7])).toBe('EINVAL');
    expect(callNumber({ call: 'pidfd_getfd', args: [] })).toBe(438);
  });
});

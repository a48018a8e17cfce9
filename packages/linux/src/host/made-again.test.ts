import { describe, expect, test } from 'vitest';
import { parseSched, waitsForTime } from './asleep.ts';
import { madeAgain as begun, type Read } from './made-again.ts';
import {
  getRegister,
  getSigned,
  registersSize,
  withRegisters,
  type RegisterName,
} from './registers.ts';

const stack = 0x7ffd_0000_1008n;
const pointer = 0x60_0000n;

const at = (changes: Partial<Record<RegisterName, number | bigint>>): Uint8Array =>
  withRegisters(new Uint8Array(registersSize), { rax: -4, rsp: stack, ...changes });

const words = (...values: readonly bigint[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 8);
  for (const [index, value] of values.entries()) bytes.writeBigInt64LE(value, index * 8);
  return bytes;
};

/** Memory with bytes at one place. */
const memory =
  (bytes: Buffer, place = pointer): Read =>
  (from, length) =>
    from >= place && from + BigInt(length) <= place + BigInt(bytes.length)
      ? bytes.subarray(Number(from - place), Number(from - place) + length)
      : undefined;
const nothing: Read = () => undefined;

const madeAgain = (registers: Uint8Array, asleep: bigint, read: Read) =>
  begun(registers, read)?.(asleep);

describe('a call that was ended by the stop of its thread', () => {
  test('is made again, and ends with EINTR where a handler runs', () => {
    for (const changes of [{ orig_rax: 65 }, { orig_rax: 0 }, { orig_rax: 232, r10: -1 }]) {
      const again = madeAgain(at(changes), 5n, nothing);
      expect(again?.registers).toEqual(at({ ...changes, rax: -514 }));
      expect(again?.scratch.bytes).toHaveLength(0);
    }
  });

  test.for([
    ['that no stop ends', { orig_rax: 3 }],
    ['that had a result', { orig_rax: 232, rax: 1, r10: 5 }],
    ['that the kernel makes again', { orig_rax: 45, rax: -512 }],
    ['that is none', { orig_rax: -1 }],
  ] as const)('but not one %s', ([, changes]) => {
    expect(madeAgain(at(changes), 5n, nothing)).toBeUndefined();
  });

  test.for([
    [1000, 300_000_000n, 700n],
    [1000, 300_000_001n, 700n],
    [1000, 0n, 1000n],
    [1000, 2_000_000_000n, 0n],
    [0xffff_ffff, 2_000_000_000n, 0xffff_ffffn],
  ] as const)('with %d milliseconds after %d ns waits for %d', ([whole, asleep, left]) => {
    const again = madeAgain(at({ orig_rax: 281, r10: whole, r8: 7 }), asleep, nothing);
    expect(again?.registers).toEqual(at({ orig_rax: 281, rax: -514, r10: left, r8: 7 }));
  });

  test.for([
    ['epoll_pwait2', 441, 'r10', words(3n, 500n), words(2n, 999_999_500n)],
    ['rt_sigtimedwait', 128, 'rdx', words(0n, 500n), words(0n, 0n)],
    ['select', 23, 'r8', words(2n, 1n), words(0n, 999_999n)],
  ] as const)('%s gets the rest in memory of its own', ([, call, name, whole, left]) => {
    const asleep = name === 'r8' ? 1_000_002_000n : 1000n;
    const before = at({ orig_rax: call, [name]: pointer });
    const again = madeAgain(before, asleep, memory(whole));
    expect(again?.scratch.bytes).toEqual(left);
    const place = again?.scratch.at ?? 0n;
    expect(place % 16n).toBe(0n);
    expect(place + 16n).toBeLessThanOrEqual(stack - 128n);
    expect(again?.registers).toEqual(withRegisters(before, { rax: -514, [name]: place }));
  });

  test('io_uring_enter gets its struct anew, which points to the rest', () => {
    const enter = { orig_rax: 426, r10: 9, r8: pointer };
    const struct = words(11n, 8n, pointer + 24n, 1n, 5n);
    const again = madeAgain(at(enter), 2n, memory(struct));
    const { at: place = 0n, bytes = Buffer.alloc(0) } = again?.scratch ?? {};
    expect(bytes).toEqual(words(1n, 3n, 11n, 8n, place));
    expect(getRegister(again?.registers ?? at({}), 'r8')).toBe(place + 16n);
    const absolute = madeAgain(at({ ...enter, r10: 41 }), 2n, memory(struct));
    expect(absolute?.registers).toEqual(at({ ...enter, r10: 41, rax: -514 }));
  });

  test('recvmmsg waits no longer, whichever way it was interrupted', () => {
    const before = at({ orig_rax: 299, rax: -512, r8: pointer });
    const again = madeAgain(before, 1n, memory(words(0n, 3n)));
    expect(getSigned(again?.registers ?? at({}), 'rax')).toBe(-512n);
    expect(again?.scratch.bytes).toEqual(words(0n, 2n));
  });

  test('waits for the whole time where its time cannot be read', () => {
    const before = at({ orig_rax: 441, r10: pointer });
    expect(madeAgain(before, 5n, nothing)?.registers).toEqual(withRegisters(before, { rax: -514 }));
    const none = madeAgain(before, 5n, memory(words(-1n, 0n)));
    expect(none?.scratch.bytes).toHaveLength(0);
  });
});

test.for([
  ['232 0x4 0x7ffe 0x1 0x3e8 0x0 0x8 0x7ffe 0x7f', true],
  ['232 0x4 0x7ffe 0x1 0xffffffff 0x0 0x8 0x7ffe 0x7f', false],
  ['202 0x4 0x80 0x1 0x0 0x0 0x8 0x7ffe 0x7f', false],
  ['202 0x4 0x80 0x1 0x7ffe00 0x0 0x8 0x7ffe 0x7f', true],
  ['219 0x4 0x80 0x1 0x0 0x0 0x8 0x7ffe 0x7f', true],
  ['0 0x4 0x80 0x1 0x0 0x0 0x8 0x7ffe 0x7f', false],
  ['running', false],
  ['-1 0x7ffe 0x7f', false],
  ['', false],
] as const)('a thread that is in "%s" waits for a time: %s', ([text, waits]) => {
  expect(waitsForTime(text)).toBe(waits);
});

test('the last switch is known in nanoseconds, if the kernel tells', () => {
  const text = 'se.exec_start    :   25793154.900394\nnr_voluntary_switches  :   17\n';
  expect(parseSched(`a (1, #threads: 1)\n---\n${text}`)).toEqual({
    at: 25_793_154_900_394n,
    times: 17n,
  });
  expect(parseSched(text.replace('25793154.900394', '0.000000'))).toBeUndefined();
  expect(parseSched('')).toBeUndefined();
});

import { afterEach, describe, expect, it, vi } from 'vitest';
import { compile } from './codec-compiled.ts';
import { interpret } from './codec-interpreted.ts';
import { CkptError } from './error.ts';
import { bytes, i32, i64, reserved, u16, u32, u64, u8 } from './field.ts';
import { record, struct } from './struct.ts';

const All = record('ALL', 4711, 'One field of each type.', {
  a: u8('a'),
  b: u16('b'),
  c: u32('c'),
  d: i32('d'),
  e: u64('e'),
  f: i64('f'),
  g: bytes(5, 'g'),
  h: reserved(),
});

const plain = { a: 0, b: 0, c: 0, d: 0, e: 0n, f: 0n, g: new Uint8Array(5), h: 0 };

const codecs = [
  { kind: 'compiled', codec: compile<object>({ ...All, type: All.type }) },
  { kind: 'interpreted', codec: interpret<object>({ ...All, type: All.type }) },
];

describe.each(codecs)('a codec ($kind)', ({ codec }) => {
  it.each([
    ['a', 256, '256 is no u8'],
    ['a', -1, '-1 is no u8'],
    ['b', 0x10000, '65536 is no u16'],
    ['c', 2 ** 32, '4294967296 is no u32'],
    ['c', -1, '-1 is no u32'],
    ['c', 0.5, '0.5 is no u32'],
    ['c', NaN, 'NaN is no u32'],
    ['c', Infinity, 'Infinity is no u32'],
    ['c', 1n, '1n is not a number'],
    ['c', '1', '1 is not a number'],
    ['c', undefined, 'undefined is not a number'],
    ['d', 2 ** 31, '2147483648 is no i32'],
    ['d', -(2 ** 31) - 1, '-2147483649 is no i32'],
    ['e', -1n, '-1 is no u64'],
    ['e', 1n << 64n, '18446744073709551616 is no u64'],
    ['e', 1, '1 is not a bigint'],
    ['f', 1n << 63n, '9223372036854775808 is no i64'],
    ['f', -(1n << 63n) - 1n, '-9223372036854775809 is no i64'],
    ['g', new Uint8Array(6), '6 bytes do not fit 5'],
    ['g', [1, 2], 'object is not a Uint8Array'],
    ['h', 1, '1 is not zero'],
  ])('refuses %s = %s: %s', (field, value, sentence) => {
    const room = new Uint8Array(64).fill(0xff);
    const wrong = { ...plain, [field]: value };
    for (const use of [
      () => codec.encode(wrong),
      () => {
        codec.write(new DataView(room.buffer), 0, wrong);
      },
    ])
      expect(use).toThrow(
        expect.objectContaining({
          code: 'EINVAL',
          sentence,
          field,
          type: 4711,
          path: ['all', field],
        }),
      );
    expect(room.every((byte) => byte === 0xff)).toBe(true);
  });

  it('takes the ends of each range', () => {
    const most = {
      a: 255,
      b: 65535,
      c: 2 ** 32 - 1,
      d: 2 ** 31 - 1,
      e: 2n ** 64n - 1n,
      f: 2n ** 63n - 1n,
    };
    const least = { d: -(2 ** 31), f: -(2n ** 63n) };
    for (const value of [
      { ...plain, ...most },
      { ...plain, ...least },
    ])
      expect(codec.decode(codec.encode(value))).toEqual(value);
  });

  it('pads short bytes with zeros, also after longer ones', () => {
    codec.encode({ ...plain, g: new Uint8Array(5).fill(9) });
    const short = codec.encode({ ...plain, g: Uint8Array.of(7) });
    expect(codec.decode(short)).toMatchObject({ g: Uint8Array.of(7, 0, 0, 0, 0) });
  });

  it('refuses reserved bytes that say something', () => {
    const image = codec.encode(plain);
    const at = All.fields.find(({ name }) => name === 'h')?.offset ?? 0;
    image[at + 2] = 1;
    const refusal = expect.objectContaining({ code: 'E2BIG', field: 'h', type: 4711 }) as unknown;
    expect(() => codec.decode(image)).toThrow(refusal);
    expect(() => codec.read(new DataView(image.buffer), 0)).toThrow(refusal);
  });

  it('gives bytes of its own, not a window on the image', () => {
    const image = codec.encode({ ...plain, g: Uint8Array.of(1, 2, 3, 4, 5) });
    const value = codec.decode(image);
    const other = codec.decode(codec.encode(plain));
    image.fill(0);
    expect(value).toMatchObject({ g: Uint8Array.of(1, 2, 3, 4, 5) });
    expect(other).toMatchObject({ g: new Uint8Array(5) });
  });

  it('writes nothing where the view ends too early', () => {
    const room = new Uint8Array(All.size).fill(0xff);
    expect(() => {
      codec.write(new DataView(room.buffer), 1, plain);
    }).toThrow(RangeError);
    expect(room.every((byte) => byte === 0xff)).toBe(true);
  });
});

describe('where code may not be made of strings', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.resetModules();
  });

  it('structs work as well', async () => {
    let tries = 0;
    const forbidden = function () {
      tries++;
      throw new EvalError('Code generation from strings disallowed for this context');
    };
    vi.resetModules();
    const { Task, Tail } = await import('./index.ts');
    vi.stubGlobal('Function', forbidden);
    const task = { ...Task.decode(new Uint8Array()), exit_signal: 17, clear_child_tid: 5n };
    expect(Task.decode(Task.encode(task))).toEqual(task);
    expect(Tail.decode(Tail.encode({ magic: 3n }))).toEqual({ magic: 3n });
    expect(tries).toBe(1);
  });
});

describe('a declaration', () => {
  it.each(['__proto__', 'two words', 'a"b', '', '1st', 'a\u2028'])(
    'refuses a field called %j',
    (name) => {
      const fields = Object.defineProperty({}, name, { value: u32('any'), enumerable: true });
      expect(() => struct('odd', 'Odd.', fields)).toThrow('cannot be called');
    },
  );

  it('works with methods taken off', () => {
    const Pair = struct('pair', 'Two bytes.', { x: u8('x'), y: u8('y') });
    const encode = Pair.encode.bind(undefined);
    const decode = Pair.decode.bind(undefined);
    expect(decode(encode({ x: 1, y: 2 }))).toEqual({ x: 1, y: 2 });
    expect(decode(encode({ x: 3, y: 4 }))).toEqual({ x: 3, y: 4 });
  });

  it('may be empty', () => {
    const Empty = struct('empty', 'Nothing.', {});
    expect(Empty.decode(Empty.encode({}))).toEqual({});
    expect(Empty.read(new DataView(new ArrayBuffer(0)), 0)).toEqual({});
  });

  it('pads as a C compiler does', () => {
    const Mixed = struct('mixed', 'Mixed.', { a: u8('a'), b: u64('b'), c: u16('c') });
    expect(Mixed.fields.map(({ offset }) => offset)).toEqual([0, 8, 16]);
    expect(Mixed.size).toBe(24);
    const room = new Uint8Array(24).fill(0xff);
    Mixed.write(new DataView(room.buffer), 0, { a: 1, b: 2n, c: 3 });
    expect(room).toEqual(Mixed.encode({ a: 1, b: 2n, c: 3 }));
  });
});

it('an error says where it is', () => {
  const error = new CkptError('EINVAL', 'no', { path: ['pipe', 'pending'], position: 64 });
  expect(error.within('task').message).toBe('EINVAL at 0x40 in task/pipe/pending: no');
});

import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expandFlags } from './expand.ts';
import { printf, type Argument } from './printf.ts';

describe('printf', () => {
  // What glibc prints, checked below where a printf of the system knows the conversion too.
  it.each<[format: string, args: Argument[], text: string]>([
    ['%d %i', [1, -2n], '1 -2'],
    ['%d', [2 ** 31], '-2147483648'],
    ['%u %u', [-1, 2 ** 32], '4294967295 0'],
    ['%hhd %hhu %hd %hu', [200, -1, 40000, -1], '-56 255 -25536 65535'],
    [
      '%ld %lld %lu %llu',
      [-1, 2n ** 63n, -1, -1n],
      '-1 -9223372036854775808 18446744073709551615 18446744073709551615',
    ],
    ['%zu %zd %jd %td', [5, -5, 6, 7], '5 -5 6 7'],
    ['%x %X %o %lx', [255, 255, 8, -1], 'ff FF 10 ffffffffffffffff'],
    ['%#x %#X %#o %#x', [255, 255, 8, 0], '0xff 0XFF 010 0'],
    ['%5d|%-5d|%05d|%+d|% d', [42, 42, 42, 42, 42], '   42|42   |00042|+42| 42'],
    ['%05d|%+05d|%-05d|', [-42, 42, 42], '-0042|+0042|42   |'],
    ['%.4d|%8.4d|%08.4d|%.0d|', [-42, 42, 42, 0], '-0042|    0042|    0042||'],
    ['%#06x|%#.3o|%#.0o', [255, 8, 0], '0x00ff|010|0'],
    ['%s|%5s|%-5s|%.2s|%5.1s', ['abc', 'abc', 'abc', 'abc', 'abc'], 'abc|  abc|abc  |ab|    a'],
    ['%*d|%-*d|%*d|%.*d|%.*s', [4, 1, 4, 1, -4, 1, 3, 7, -1, 'abc'], '   1|1   |1   |007|abc'],
    ['%c%c|%3c|%-3c|', [65, 'B', 67, 68], 'AB|  C|D  |'],
    ['%p %20p|%-20p|', [0xdeadn, 4096, 1n], '0xdead               0x1000|0x1                 |'],
    ['%p %p', [0, -1], '0x0 0xffffffffffffffff'],
    ['100%% %', [], '100% %'],
    ['%s', [new Uint8Array([104, 105, 0, 255])], 'hi'],
    ['%s|%.3s', ['a\0b', 'äöü'], 'a|ä'],
    ['%5s|%s', ['ä', undefined], '   ä|(null)'],
    ['%c|', [0], '|'],
    ['%lc %ls %5%', [65, 'wide'], 'A wide %'],
    ['%n %k %lld', [1], '%n %k 1'],
    ['%d %d %s', [1], '1 %d %s'],
    ['%*d', [5], '%*d'],
    ['%d %d', ['text', NaN], 'text NaN'],
    ['%.d|%.-1d|', [0, 1], '|%.-1d|'],
    ['%ld', [2 ** 40 + 0.9], '1099511627776'],
    ['a\0%d', [1], 'a'],
    ['%(O)', [7], '%(O)'],
  ])('%s', (format, args, text) => {
    expect(printf(format, args)).toBe(text);
  });

  it('agrees with the printf of the system', () => {
    const numbers = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    const conversions = fc.constantFrom('d', 'i', 'u', 'x', 'X', 'o').chain((letter) => {
      // The system refuses what C leaves undefined.
      const own = /[di]/.test(letter) ? ['+', ' '] : letter === 'u' ? [] : ['#'];
      const flags = fc.subarray(['-', '0', ...own]);
      return fc.tuple(flags, fc.option(fc.nat(30)), fc.option(fc.nat(30)), fc.constant(letter));
    });
    const cases = fc
      .sample(fc.tuple(conversions, numbers), { numRuns: 300, seed: 1 })
      .map(([[flags, width, precision, letter], number]) => {
        const point = precision === null ? '' : `.${precision}`;
        return [`%${flags.join('')}${width ?? ''}${point}l${letter}`, number] as const;
      });
    // A shell's printf works on intmax_t, and takes the modifier or does without.
    const theirs = execFileSync(
      'printf',
      [
        cases.map(([format]) => `${format.replace('l', '')}\n`).join(''),
        ...cases.map(([, n]) => `${n}`),
      ],
      { encoding: 'utf8' },
    );
    const ours = cases.map(([format, number]) => `${printf(format, [number])}\n`).join('');
    expect(ours).toBe(theirs);
  });

  it('never throws, and never grows without bound', () => {
    const part = fc.constantFrom(
      '%',
      '(',
      ')',
      'O',
      'S',
      '*',
      '.',
      '9',
      '-',
      'l',
      'd',
      's',
      'c',
      'x',
      'é',
    );
    const argument: fc.Arbitrary<Argument> = fc.oneof(
      fc.string(),
      fc.double(),
      fc.bigInt(),
      fc.uint8Array(),
      fc.constantFrom(undefined, 1e9, -1e9),
    );
    fc.assert(
      fc.property(fc.array(part), fc.array(argument), (format, args) => {
        const text = printf(format.join(''), args, expandFlags(undefined));
        expect(text.length).toBeLessThan(3000);
      }),
      { numRuns: 2000 },
    );
    expect(printf('%s'.repeat(100), Array<string>(100).fill('x'.repeat(1e6))).length).toBeLessThan(
      3000,
    );
    expect(printf('%999999999d%.999999999d%*d', [1, 1, 1e9, 1]).length).toBeLessThan(3000);
  });
});

describe('a special flag', () => {
  const expand = expandFlags({ pid: 4242, comm: 'golden' });

  it.each<[format: string, args: Argument[], text: string]>([
    [
      '%(O)%(P)%(V)%(S)%(T)',
      [7, 0x7f00n, 16, 'str'],
      '[obj 7][ptr 0x7f00][sym 0x10][str str][pid 4242 tsk golden]',
    ],
    ['%d %(O) %s', [1, 2, 'three'], '1 [obj 2] three'],
    ['100%% %%(O)', [5], '100% %(O)'],
    ['odd %( O) %(O %d', [5], 'odd %( O) %(O 5'],
    ['%(Q)%()%())%(', [5], '%(Q)%()%())%('],
    ['%(O) %(S)', [1], '[obj 1] %(S)'],
    ['%(S)', [undefined], '[str (null)]'],
    ['%(S)%d', ['%d%(O)%s', 3], '[str %d%(O)%s]3'],
    ['%(O)', ['x'], '[obj x]'],
  ])('%s', (format, args, text) => {
    expect(printf(format, args, expand)).toBe(text);
  });

  it('takes the name of the task as data', () => {
    const evil = expandFlags({ pid: 1, comm: '%d-%s%n%(O)' });
    expect(printf('%(T)arg=%d', [77], evil)).toBe('[pid 1 tsk %d-%s%n%(O)]arg=77');
    const bytes = expandFlags({ pid: 1, comm: new Uint8Array([115, 104, 0, 120]) });
    expect(printf('%(T)', [], bytes)).toBe('[pid 1 tsk sh]');
    expect(printf('%(T)', [], expandFlags(undefined))).toBe('[pid -1 tsk NULL]');
  });
});

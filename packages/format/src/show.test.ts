import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytes, i32, i64, u32, u64, type Field } from './field.ts';
import * as as from './notation.ts';
import { openFlags, protections } from './index.ts';
import { formatValue } from './show.ts';
import { structs } from './testing/structs.ts';
import { valuesOf } from './testing/values.ts';

const protection = as.flags(protections, { prefix: 'PROT_', zero: { name: 'PROT_NONE' } });
const opened = as.flags(openFlags, { zero: { name: 'O_RDONLY', mask: 3 } });
const colour = as.oneOf({ red: 1, blue: 2 }, 'C_');
const max = 0xffffffffffffffffn;
const text = (...codes: readonly number[]) => Uint8Array.from(codes);

describe('a value is shown', () => {
  it.each<[string, Field<unknown>, unknown, string]>([
    ['a number', u32('', as.decimal), 42, '42'],
    ['hexadecimal', u64('', as.hex), 255n, '0xff'],
    ['a negative one as its bits', i32('', as.hex), -1, '0xffffffff'],
    ['a mode', u32('', as.octal), 0o100644, '0100644'],
    ['no mode', u32('', as.octal), 0, '0'],
    ['an address', u64('', as.address), 0x7fff00001000n, '0x7fff00001000'],
    ['bytes', u32('', as.byteSize), 65, '65 B'],
    ['a page', u32('', as.byteSize), 4096, '4.0 KiB'],
    ['a page and one', u64('', as.byteSize), 4097n, '4.0 KiB (4097)'],
    ['a size and a half', u64('', as.byteSize), 1536n << 20n, '1.5 GiB'],
    ['all that a u64 can hold', u64('', as.byteSize), max, '15.9 EiB (18446744073709551615)'],
    ['flags', u32('', protection), 3, 'PROT_READ|PROT_WRITE'],
    ['no flags', u32('', protection), 0, 'PROT_NONE'],
    ['no flags without a name', u32('', as.flags({ A: 1 })), 0, '0'],
    ['unknown flags', u32('', protection), 0x85, 'PROT_READ|PROT_EXEC|0x80'],
    ['only unknown flags', u32('', as.flags({})), 0x80000000, '0x80000000'],
    ['an access mode of zero', u32('', opened), 0o2000, 'O_RDONLY|O_APPEND'],
    ['flags that contain others', u32('', opened), 0o4010001, 'O_WRONLY|O_SYNC'],
    ['contained flags alone', u32('', opened), 0o10001, 'O_WRONLY|O_DSYNC'],
    ['one of several', u32('', colour), 2, 'C_blue'],
    ['none of them', u32('', colour), 7, '7 (unknown)'],
    ['a yes', u32('', as.truth), 1, 'yes'],
    ['a signal', u32('', as.signal), 10, 'SIGUSR1'],
    ['a real-time signal', u32('', as.signal), 37, 'SIGRTMIN+3'],
    ['the first real-time signal', u32('', as.signal), 34, 'SIGRTMIN'],
    ['the last one', u32('', as.signal), 64, 'SIGRTMIN+30'],
    ["the C library's own", u32('', as.signal), 32, 'SIG32'],
    ['no signal', u32('', as.signal), 0, 'none'],
    ['-1 in a u32', u32('', as.signal), 0xffffffff, '-1'],
    ['no signals', u64('', as.signals), 0n, 'none'],
    ['signals', u64('', as.signals), 0x2n | (1n << 63n), 'SIGINT|SIGRTMIN+30'],
    ['all signals', u64('', as.signals), max, 'all'],
    ['most signals', u64('', as.signals), max ^ 0x40100n, 'all but SIGKILL|SIGSTOP'],
    ['capabilities', u64('', as.capabilities), 0x200001n, 'CAP_CHOWN|CAP_SYS_ADMIN'],
    ['all capabilities', u64('', as.capabilities), (1n << 41n) - 1n, 'all'],
    ['most', u64('', as.capabilities), 0x1fffeffffffn, 'all but CAP_SYS_RESOURCE'],
    ['one too many', u64('', as.capabilities), 1n << 41n, '0x20000000000'],
    ['a time', u64('', as.time), 1795449600n, '2026-11-23T16:00:00Z'],
    ['a time beyond calendars', u64('', as.time), max, '18446744073709551615 s'],
    ['nanoseconds', u64('', as.nanotime), 1500000000000000005n, '2017-07-14T02:40:00.000000005Z'],
    ['a duration', u64('', as.nanoseconds), 1500000000n, '1.5 s'],
    ['a short one', u64('', as.nanoseconds), 50000n, '50 us'],
    ['the shortest one', u64('', as.nanoseconds), 1n, '1 ns'],
    ['one of microseconds', u64('', as.microseconds), 1001n, '1.001 ms'],
    ['one that is over', i64('', as.nanoseconds), -2500000n, '-2.5 ms'],
    ['none', u64('', as.microseconds), 0n, '0 s'],
    ['a device', u64('', as.device), 0x801n, '8:1'],
    ['a limit', u64('', as.limit), 1024n, '1024'],
    ['no limit', u64('', as.limit), max, 'unlimited'],
    ['an object', i32('', as.objref), 5, '#5'],
    ['no object', i32('', as.objref), 0, 'none'],
    [
      'a uuid',
      bytes(16, '', as.uuid),
      text(...new Array<number>(16).fill(0x1f)),
      '1f1f1f1f-1f1f-1f1f-1f1f-1f1f1f1f1f1f',
    ],
    ['no uuid', bytes(16, '', as.uuid), new Uint8Array(16), 'none'],
    ['a name', bytes(16, '', as.text), text(110, 111, 100, 101, 0, 0), '"node"'],
    ['a name with stale bytes', bytes(16, '', as.text), text(97, 0, 98, 0), String.raw`"a\0b"`],
    ['a hostile name', bytes(8, '', as.text), text(27, 91, 50, 74, 34), String.raw`"\x1b[2J\""`],
    ['raw bytes', bytes(3, ''), text(1, 2, 255), '0102ff'],
    ['zeros', bytes(116, ''), new Uint8Array(116), '116 zeros'],
    ['many bytes', bytes(40, ''), new Uint8Array(40).fill(1), `${'01'.repeat(32)}... (40 bytes)`],
  ])('as %s', (_, field, value, shown) => {
    expect(formatValue(field, value)).toBe(shown);
  });

  it('the device numbers are those of the C library', () => {
    // makedev(0x12345, 0xabcde) of glibc
    const device = 0x0001_2000_abc3_45den;
    expect(formatValue(u64('', as.device), device)).toBe('74565:703710');
  });
});

it.each(structs)('every value of $name is one line of printable text', ({ struct }) => {
  fc.assert(
    fc.property(valuesOf(struct), (value) => {
      for (const { name, field } of struct.fields)
        expect(formatValue(field, value[name])).toMatch(/^[^\p{C}\p{Zl}\p{Zp}]+$/u);
    }),
    { numRuns: 30 },
  );
});

import { CKPT_HDR_BUFFER, CkptError, Cpu, crc32c, HeaderArch, Mm, seeded } from '@ckpt/format';
import { describe, expect, test } from 'vitest';
import { made, restoreScope, thrown } from '../testing/fake-scope.ts';
import { smallVdso, smallVdsoCode as code } from '../testing/small-vdso.ts';
import { restoreVdso, vdsoPlace } from './memory-vdso.ts';
import { redirectVdso } from './vdso-redirect.ts';
import { vdsoFunctions } from './vdso-symbols.ts';

const old = smallVdso([
  { name: '__vdso_time', offset: 0 },
  { name: 'time', offset: 0 },
  { name: '__vdso_getcpu', offset: 64 },
  { name: '__vdso_clock_gettime', offset: 128, size: 64 },
]);
const own = smallVdso([
  { name: '__vdso_clock_gettime', offset: 0 },
  { name: 'time', offset: 256 },
]);

describe('the functions of a vdso', () => {
  test('are found under all their names', () => {
    expect(vdsoFunctions(old)).toEqual([
      { names: ['__vdso_time', 'time'], offset: code, size: 32 },
      { names: ['__vdso_getcpu'], offset: code + 64, size: 32 },
      { names: ['__vdso_clock_gettime'], offset: code + 128, size: 64 },
    ]);
  });

  test('lead to those of that name, or ask the kernel', () => {
    const bytes = redirectVdso(old, own, 0x7fff_1234_0000n);
    const at = (offset: number) => Buffer.from(bytes.subarray(offset, offset + 12)).toString('hex');
    expect(at(code)).toBe('48b80005341'.concat('2ff7f0000ffe0'));
    expect(at(code + 64).slice(0, 16)).toBe('b8350100000f05c3');
    expect(at(code + 128)).toBe('48b80004341'.concat('2ff7f0000ffe0'));
    const changed = bytes.filter((byte, index) => byte !== old[index]).length;
    expect(changed).toBeLessThanOrEqual(32);
  });

  test.for([
    ['unknown', smallVdso([{ name: '__vdso_teleport', offset: 0 }]), /has no teleport/],
    [
      'too near to the next',
      smallVdso([
        { name: 'time', offset: 0 },
        { name: 'getcpu', offset: 8 },
      ]),
      /getcpu.*too short/,
    ],
    ['at the end', smallVdso([{ name: 'time', offset: 0x3f8, size: 8 }]), /time.*too short/],
    ['not there', new Uint8Array(100), /no ELF image/],
  ] as const)('that are %s are refused by name', ([, vdso, sentence]) => {
    expect(thrown(() => redirectVdso(vdso, own, 0n)).sentence).toMatch(sentence);
  });

  test('give a list or one error, whatever the bytes are', () => {
    const random = seeded(7);
    for (let round = 0; round < 3000; round++) {
      const bytes = old.slice();
      for (let count = random() % 4; count >= 0; count--) bytes[random() % 700] = random();
      try {
        redirectVdso(bytes, own, 0n);
      } catch (error) {
        expect(error).toBeInstanceOf(CkptError);
      }
    }
  });
});

const start = 0x7fff_0000_0000n;

interface Case {
  readonly rip?: bigint;
  readonly hash?: number;
  readonly vdso?: Uint8Array;
  readonly size?: bigint;
}

/** An image of a kernel with 2 pages of vvar and 1 of vdso, on one with 3 and 1. */
function planned({ rip = 0n, vdso = old, hash = crc32c(vdso), size = 0x3000n }: Case = {}) {
  const arch = { isa: 2, xstate_size: 0, xfeatures: 0n, vdso_hash: hash, vdso_size: 0x3000 };
  const scope = restoreScope(
    [
      made(HeaderArch, arch, { arrays: [[]], bytes: { [CKPT_HDR_BUFFER]: vdso } }),
      made(Mm, { ...Mm.decode(new Uint8Array(Mm.size)), vdso: start, vdso_size: size }),
      made(Cpu, { ...Cpu.decode(new Uint8Array(Cpu.size)), tid: 7, rip }),
    ],
    { system: { vdso: own, vdsoHash: crc32c(own), vdsoSize: 0x4000 } },
  );
  const place = vdsoPlace(scope, [{ start, end: start + size }]);
  if (place === undefined) throw new Error('no place');
  restoreVdso(scope, scope.document.one(Mm), place);
  return { scope, place };
}

describe('another vdso', () => {
  const vdsoAt = start + 0x2000n;
  const entry = vdsoAt + BigInt(code);

  test('stays where it was, beside the own one, which has its own size', () => {
    const { scope, place } = planned();
    expect(place.end - place.start).toBe(0x4000n);
    expect(place.end <= start || place.start >= start + 0x3000n).toBe(true);
    const calls = scope.calls().map(({ call, args }) => [call, ...args.slice(0, 2)]);
    expect(calls).toMatchObject([
      ['mmap', start, 0x2000n],
      ['mmap', vdsoAt, 0x1000n],
      ['memfd_create', {}, 1],
      ['write', {}, { blob: redirectVdso(old, own, place.end - 0x1000n) }],
      ['pread64', {}, vdsoAt],
      ['close', {}],
      ['mprotect', vdsoAt, 0x1000n],
      ['arch_prctl', 0x2003, place.start],
      ['msync', place.start, 0x4000n],
    ]);
  });

  test.for([
    ['where a jump is put', { rip: entry + 3n }, 'EBUSY', 'rip'],
    ['in a function that reads without looking', { rip: entry + 20n }, 'EBUSY', 'rip'],
    ['of another hash than it says', { hash: 5 }, 'EINVAL', 'vdso_hash'],
    ['that is not in the image', { vdso: new Uint8Array(), hash: 5 }, 'EINVAL', 'vdso_hash'],
    ['of another size than it says', { size: 0x5000n }, 'EINVAL', 'vdso_hash'],
    ['of no whole pages', { size: 0x3001n }, 'EINVAL', 'vdso_size'],
    [
      'that nothing stands in for',
      { vdso: smallVdso([{ name: 'x', offset: 0 }]) },
      'ENOSYS',
      'vdso_hash',
    ],
  ] as const)('%s is refused', ([, is, code, field]) => {
    expect(thrown(() => planned(is))).toMatchObject({ code, field });
  });

  test('may have a thread at the entry of a function, or where it asks the kernel', () => {
    expect(planned({ rip: entry }).scope.notes).toHaveLength(1);
    const { scope } = planned({ rip: entry + 128n + 40n });
    expect(scope.notes[0]).toMatch(/thread 7 was inside clock_gettime/);
  });
});

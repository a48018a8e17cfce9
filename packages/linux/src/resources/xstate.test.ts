import { CKPT_HDR_CPU_FPU, Cpu, HeaderArch, type XstateComponent } from '@ckpt/format';
import { expect, test } from 'vitest';
import { made, restoreScope, thrown } from '../testing/fake-scope.ts';
import { fitXstate } from './xstate.ts';

/** Of a processor of one maker: opmask, ZMM_Hi256, Hi16_ZMM, PKRU. */
const one: readonly XstateComponent[] = [
  { feature: 2, offset: 576, size: 256 },
  { feature: 5, offset: 1088, size: 64 },
  { feature: 6, offset: 1152, size: 512 },
  { feature: 7, offset: 1664, size: 1024 },
  { feature: 9, offset: 2688, size: 8 },
];

/** Of one of another maker. */
const another: readonly XstateComponent[] = [
  { feature: 2, offset: 576, size: 256 },
  { feature: 5, offset: 832, size: 64 },
  { feature: 6, offset: 896, size: 512 },
  { feature: 7, offset: 1408, size: 1024 },
  { feature: 9, offset: 2432, size: 8 },
];

/** FXSAVE of ones, AVX of twos, and the number of a component in its place. */
function xstate(used: bigint, size = 2696, layout: readonly XstateComponent[] = []): Uint8Array {
  const bytes = new Uint8Array(size);
  bytes.fill(1, 0, 512);
  bytes.fill(2, 576, 832);
  for (const { feature, offset, size: length } of layout) {
    bytes.fill(feature, offset, offset + length);
  }
  new DataView(bytes.buffer).setBigUint64(512, used, true);
  return bytes;
}

interface Case {
  readonly area: Uint8Array;
  readonly writer?: readonly XstateComponent[];
  readonly own?: readonly XstateComponent[];
  readonly size?: number;
}

function fit({ area, writer = [], own, size = 2696 }: Case): Uint8Array {
  const arch = { isa: 2, xstate_size: area.length, xfeatures: 7n, vdso_hash: 0, vdso_size: 0 };
  const cpu = { xfeatures: 0x2e7n, xstateSize: size, flags: [] };
  const scope = restoreScope(
    [
      made(Cpu, Cpu.decode(new Uint8Array(Cpu.size)), { bytes: { [CKPT_HDR_CPU_FPU]: area } }),
      made(HeaderArch, arch, { arrays: [writer] }),
    ],
    { system: { cpu: own === undefined ? cpu : { ...cpu, xstateLayout: own } } },
  );
  const [record] = scope.document.all(Cpu);
  if (record === undefined) throw new Error('no record');
  return fitXstate(scope, record);
}

test('an xstate area of this processor is taken as it is', () => {
  const area = xstate(0x2e7n);
  expect(fit({ area })).toEqual(area);
  expect(fit({ area, writer: one, own: one })).toEqual(area);
});

test.for([832, 1088, 4096])(
  'an area of %d bytes fits where all that is used has its place',
  (size) => {
    const fitted = fit({ area: xstate(7n, size) });
    expect(fitted.length).toBe(2696);
    expect(fitted.subarray(0, 832)).toEqual(xstate(7n, size).subarray(0, 832));
    expect(fitted.subarray(832).every((byte) => byte === 0)).toBe(true);
  },
);

test.for([2440, 2696, 4096])(
  'components are put where this processor has them, in %d bytes',
  (size) => {
    const own = another;
    const fitted = fit({ area: xstate(0x2e7n, 2696, one), writer: one, own, size });
    expect(fitted).toEqual(xstate(0x2e7n, size, another));
  },
);

test('a component that is not in use is left out', () => {
  const fitted = fit({ area: xstate(0x207n, 2696, one), writer: one, own: another, size: 2440 });
  expect(fitted).toEqual(
    xstate(
      0x207n,
      2440,
      another.filter(({ feature }) => [2, 9].includes(feature)),
    ),
  );
});

const larger = one.map((each) => (each.feature === 9 ? { ...each, size: 16 } : each));

test.for<readonly [name: string, refused: Case, errno: string, field: string]>([
  ['state that this processor has not', { area: xstate(0x400n) }, 'ENODEV', 'xstate'],
  ['a place that is not known', { area: xstate(0x2e7n, 4096) }, 'ENODEV', 'xstate'],
  ['a place that the writer did not tell', { area: xstate(0x2e7n), own: one }, 'ENODEV', 'xstate'],
  ['another size', { area: xstate(0x2e7n, 2704), writer: larger, own: one }, 'ENODEV', 'xstate'],
  ['an area that is none', { area: new Uint8Array(500) }, 'EINVAL', 'xstate'],
  ['an area without AVX that uses it', { area: xstate(7n).slice(0, 600) }, 'EINVAL', 'xstate'],
  ['places out of order', { area: xstate(7n), writer: one.toReversed() }, 'EINVAL', 'feature'],
  ['places outside', { area: xstate(7n, 2440), writer: one }, 'EINVAL', 'offset'],
])('%s is refused', ([, refused, errno, field]) => {
  expect(thrown(() => fit(refused))).toMatchObject({ code: errno, field });
});

test.for([
  ['compacted', 527, 0x80],
  ['of reserved bytes', 540, 1],
])('a header that is %s is refused', ([, at, value]) => {
  const area = xstate(7n);
  area[Number(at)] = Number(value);
  expect(thrown(() => fit({ area }))).toMatchObject({ code: 'EINVAL', field: 'xstate' });
});

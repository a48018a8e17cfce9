import type { ImageRecord, RestoreScope } from '@ckpt/engine';
import { CKPT_HDR_CPU_FPU, HeaderArch, XstateComponent, type Cpu } from '@ckpt/format';

/** Bytes of FXSAVE, behind which the header stands: XSTATE_BV, XCOMP_BV, and zeros. */
const legacySize = 512;
const headerSize = 64;
const areaMin = legacySize + headerSize;

/** AVX stands behind the header on every processor that has it. */
const avxPlace: XstateComponent = { feature: 2, offset: areaMin, size: 256 };

/** Bits of xfeatures (XSTATE_BV has 64). */
const featureMax = 63;

type Layout = ReadonlyMap<number, XstateComponent>;

function layoutOf(components: readonly XstateComponent[] = []): Layout {
  return new Map([avxPlace, ...components].map((one) => [one.feature, one]));
}

/** The writer's layout. @throws CkptError EINVAL for one that is none. */
function writersLayout(arch: ImageRecord<HeaderArch>): Layout {
  const components = arch.arrayOf(XstateComponent);
  let before = 1;
  for (const { feature, offset, size } of components) {
    if (feature <= before || feature > featureMax) {
      throw arch.invalid('feature', `component ${feature} behind component ${before}`);
    }
    if (offset < areaMin || offset + size > arch.value.xstate_size) {
      const end = arch.value.xstate_size;
      throw arch.invalid('offset', `component ${feature}: ${size} bytes at ${offset} of ${end}`);
    }
    before = feature;
  }
  return layoutOf(components);
}

/** Checks what no area can have; returns the components that are in use. */
function usedIn(scope: RestoreScope, record: ImageRecord<Cpu>, area: Uint8Array): bigint {
  const { xfeatures } = scope.system.cpu;
  const view = new DataView(area.buffer, area.byteOffset, area.length);
  const used = view.getBigUint64(legacySize, true);
  if ((used & ~xfeatures) !== 0n) {
    throw record.invalid(
      'xstate',
      `state ${used.toString(16)} of the processor is in use, this one has ${xfeatures.toString(16)}`,
      'ENODEV',
    );
  }
  if (view.getBigUint64(legacySize + 8, true) !== 0n) {
    throw record.invalid('xstate', 'a compacted xstate area');
  }
  if (area.subarray(legacySize + 16, areaMin).some((byte) => byte !== 0)) {
    throw record.invalid('xstate', 'an xstate header with bytes that are reserved');
  }
  return used;
}

const isPlace = (a: XstateComponent | undefined, b: XstateComponent | undefined): boolean =>
  a !== undefined && a.offset === b?.offset && a.size === b.size;

/** Numbers of components that do not stand in FXSAVE. */
function extended(used: bigint): readonly number[] {
  const all = Array.from({ length: featureMax - 1 }, (_, index) => index + 2);
  return all.filter((feature) => ((used >> BigInt(feature)) & 1n) !== 0n);
}

/**
 * The xstate area in the form of this machine: processors differ in where they keep what is beyond
 * AVX, so each component that is in use is put where this one has it.
 * @throws CkptError EINVAL for an area that is none; ENODEV for a component whose place is not
 * known, or that has another size here.
 */
export function fitXstate(scope: RestoreScope, record: ImageRecord<Cpu>): Uint8Array {
  const area = record.bytesOf(CKPT_HDR_CPU_FPU);
  const arch = scope.document.one(HeaderArch);
  const { xstateSize, xstateLayout } = scope.system.cpu;
  if (area.length < areaMin || area.length !== arch.value.xstate_size) {
    throw record.invalid('xstate', `${area.length} bytes of xstate`);
  }
  const used = usedIn(scope, record, area);
  const from = writersLayout(arch);
  const to = layoutOf(xstateLayout);
  const length = xstateSize === 0 ? area.length : xstateSize;
  const features = extended(used);
  const isSame = features.every((feature) => isPlace(from.get(feature), to.get(feature)));
  if (area.length === length && (xstateLayout === undefined || isSame)) return area.slice();
  const fitted = new Uint8Array(length);
  fitted.set(area.subarray(0, areaMin));
  for (const feature of features) {
    const old = from.get(feature);
    const own = to.get(feature);
    if (old !== undefined && old.offset + old.size > area.length) {
      throw record.invalid('xstate', `component ${feature} does not end within the area`);
    }
    if (old === undefined || own?.size !== old.size || own.offset + own.size > length) {
      throw record.invalid(
        'xstate',
        `component ${feature} of the processor's state is in use, and this processor keeps it in ` +
          'another form: restart it on one like that of the checkpoint',
        'ENODEV',
      );
    }
    fitted.set(area.subarray(old.offset, old.offset + old.size), own.offset);
  }
  return fitted;
}

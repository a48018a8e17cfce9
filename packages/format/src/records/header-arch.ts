import { u32, u64 } from '../field.ts';
import { array, payload } from '../follow.ts';
import { byteSize, flags, hex, oneOf } from '../notation.ts';
import { record, struct, type Infer } from '../struct.ts';

export const archs = { x86_32: 1, x86_64: 2, s390x: 3, arm: 4, aarch64: 5 };

/** Components of the xstate area (Intel SDM volume 1, 13.1; asm/fpu/types.h), bit by bit. */
export const xfeatureNames = {
  x87: 1,
  SSE: 2,
  AVX: 4,
  BNDREGS: 8,
  BNDCSR: 0x10,
  opmask: 0x20,
  ZMM_Hi256: 0x40,
  Hi16_ZMM: 0x80,
  PT: 0x100,
  PKRU: 0x200,
  PASID: 0x400,
  CET_U: 0x800,
  CET_S: 0x1000,
  HDC: 0x2000,
  UINTR: 0x4000,
  LBR: 0x8000,
  HWP: 0x10000,
  XTILECFG: 0x20000,
  XTILEDATA: 0x40000,
  APX: 0x80000,
};

export const XstateComponent = struct(
  'xstate_component',
  'Where a component stands in xstate areas; x87, SSE and the header never move, and are not told.',
  {
    feature: u32('number of its bit in xfeatures, from 2 on'),
    offset: u32('bytes from the start of the area, not compacted (CPUID leaf 13, EBX)', byteSize),
    size: u32('bytes (CPUID leaf 13, EAX)', byteSize),
  },
);
export type XstateComponent = Infer<typeof XstateComponent>;

export const HeaderArch = record(
  'HEADER_ARCH',
  5,
  'What the processor must have.',
  {
    isa: u32('instruction set', oneOf(archs, '', { others: true })),
    xstate_size: u32('bytes of the xstate area of the writer, not compacted', byteSize),
    xfeatures: u64(
      'state components in use by any thread: XSTATE_BV of all',
      flags(xfeatureNames, { others: true }),
    ),
    vdso_hash: u32('CRC-32C of the ELF image of the vdso, its zero tail left out; 0: no vdso', hex),
    vdso_size: u32('bytes of the vvar and vdso mappings together', byteSize),
  },
  [
    array(
      XstateComponent,
      'components that the writer knows, ascending; another processor differs',
    ),
    payload('BUFFER', 'ELF image of the vdso, its zero tail left out; empty: not known'),
  ],
);
export type HeaderArch = Infer<typeof HeaderArch>;

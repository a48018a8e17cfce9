import { archs, HeaderArch, Identity } from '@ckpt/format';
import type { System } from './host.ts';
import type { Document } from './resource.ts';

/** Instruction sets by what uname(2) calls them. */
const isaByMachine: Readonly<Record<string, number>> = {
  x86_64: archs.x86_64,
  i686: archs.x86_32,
  aarch64: archs.aarch64,
  s390x: archs.s390x,
};

/** Number of the machine's instruction set; 0 for one that has none. */
export function isaOf(machine: string): number {
  return isaByMachine[machine] ?? 0;
}

const hex = (value: bigint | number): string => `0x${value.toString(16)}`;

/**
 * Compares what an image needs of the processor and the kernel with this machine.
 * @throws CkptError EINVAL naming what is different.
 */
export function checkMachine(
  document: Document,
  { uts, cpu, vdsoHash, vdsoSize, pageSize }: System,
) {
  const arch = document.one(HeaderArch);
  const { isa, xfeatures, vdso_hash, vdso_size } = arch.value;
  if (isa !== isaOf(uts.machine)) {
    const name = Object.entries(archs).find(([, number]) => number === isa)?.[0] ?? `${isa}`;
    throw arch.invalid(
      'isa',
      `incompatible machine: the image is of ${name}, this is ${uts.machine}`,
    );
  }
  const identity = document.one(Identity);
  const { page_size } = identity.value;
  if (page_size !== pageSize) {
    const sentence = `incompatible pages: ${page_size} bytes, here ${pageSize}`;
    throw identity.invalid('page_size', sentence);
  }
  const lacking = xfeatures & ~cpu.xfeatures;
  if (lacking !== 0n) {
    const sentence = `incompatible processor: the threads use state ${hex(lacking)}, which it has not`;
    throw arch.invalid('xfeatures', sentence);
  }
  if (vdso_hash === 0) return;
  if (vdso_hash !== vdsoHash || vdso_size !== vdsoSize) {
    const image = `${hex(vdso_hash)} of ${vdso_size} bytes`;
    const here = `${hex(vdsoHash)} of ${vdsoSize} bytes`;
    const sentence = `incompatible vdso: the image has ${image}, this kernel ${here}`;
    throw arch.invalid('vdso_hash', `${sentence}; restart it under the kernel it comes from`);
  }
}

import { archs, HeaderArch, Identity, xfeatureNames } from '@ckpt/format';
import type { System } from './system.ts';
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

/** Names of state components; a number for one that has none. */
function lackingNames(bits: bigint): readonly string[] {
  const names = Object.entries(xfeatureNames);
  const named = names.filter(([, bit]) => (bits & BigInt(bit)) !== 0n);
  const rest = named.reduce((left, [, bit]) => left & ~BigInt(bit), bits);
  const others = rest === 0n ? [] : [`state 0x${rest.toString(16)}`];
  return [...named.map(([name]) => name), ...others];
}

/**
 * Compares what an image needs of the processor and the kernel with this machine.
 * @throws CkptError EINVAL naming what is different.
 */
export function checkMachine(document: Document, { uts, cpu, pageSize }: System) {
  const arch = document.one(HeaderArch);
  const { isa, xfeatures } = arch.value;
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
    const names = lackingNames(lacking).join(', ');
    const sentence = `incompatible processor: the threads use ${names}, which it has not`;
    throw arch.invalid('xfeatures', sentence);
  }
}

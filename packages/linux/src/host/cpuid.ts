import { closeSync, openSync, writeSync } from 'node:fs';
import type { XstateComponent } from '@ckpt/format';
import { functionAt, pageSize, stableBytes, syscall } from './syscall.ts';

/** Machine code of `cpuid.S`, which says what it does. x86-64. */
// prettier-ignore
export const cpuidCode = Uint8Array.of(
  0x53, 0x49, 0x89, 0xd0, 0x89, 0xf8, 0x89, 0xf1, 0x0f, 0xa2, 0x41, 0x89, 0x00, 0x41, 0x89, 0x58,
  0x04, 0x41, 0x89, 0x48, 0x08, 0x41, 0x89, 0x50, 0x0c, 0x5b, 0xc3,
);

/** Intel SDM volume 2, CPUID: what XSAVE keeps where. */
const leafXstate = 13;

const PROT_READ = 1;
const PROT_WRITE = 2;
const PROT_EXEC = 4;
const MAP_PRIVATE_ANONYMOUS = 0x22;

/** Answers to leaf 13 in the order asked: sizes and offsets. */
function ask(subleaves: readonly number[]): readonly (readonly [size: number, offset: number])[] {
  const protection = PROT_READ | PROT_WRITE;
  const at = syscall('mmap', 0, pageSize, protection, MAP_PRIVATE_ANONYMOUS, -1, 0);
  try {
    const fd = openSync('/proc/self/mem', 'r+');
    try {
      writeSync(fd, cpuidCode, 0, cpuidCode.length, at);
    } finally {
      closeSync(fd);
    }
    syscall('mprotect', at, pageSize, PROT_READ | PROT_EXEC);
    const cpuid = functionAt(BigInt(at), 'void', ['uint32', 'uint32', 'uint8 *']);
    const words = stableBytes(16);
    return subleaves.map((subleaf) => {
      cpuid(leafXstate, subleaf, words);
      return [words.readUInt32LE(0), words.readUInt32LE(4)];
    });
  } finally {
    syscall('munmap', at, pageSize);
  }
}

/**
 * Where this processor keeps the components of an uncompacted xstate area, but x87 and SSE.
 * @param xfeatures XCR0
 */
export function readXstateLayout(xfeatures: bigint): readonly XstateComponent[] {
  const features = Array.from({ length: 61 }, (_, index) => index + 2).filter(
    (feature) => ((xfeatures >> BigInt(feature)) & 1n) !== 0n,
  );
  const answers = ask(features);
  return features.flatMap((feature, index) => {
    const [size = 0, offset = 0] = answers[index] ?? [];
    return size === 0 ? [] : [{ feature, offset, size }];
  });
}

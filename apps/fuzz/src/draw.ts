import type { Random } from '@ckpt/format';

/** A number under `count`; 0 where there is none. */
export function below(random: Random, count: number): number {
  return random() % Math.max(1, count);
}

/** One of them. @throws Error when there is none. */
export function oneOf<T>(random: Random, list: readonly T[]): T {
  const found = list[below(random, list.length)];
  if (found === undefined) throw new Error('nothing to choose from');
  return found;
}

/** True once in `count` times; never for a zero. */
export function once(random: Random, count: number): boolean {
  return random() % count === count - 1;
}

const edges = [
  ...[0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 24, 40, 56, 63, 64, 65, 73, 100, 127, 128, 255, 256],
  ...[4095, 4096, 4097, 0x7fff, 0x8000, 0xffff, 0x10000, 0xfffff, 0x100000, 0xffffff, 0x1000000],
  ...[0x7ffffff7, 0x7fffffff, 0x80000000, 0x80000008, 0xfffffff7, 0xfffffff8, 0xffffffff],
];

/** A u32 at which code may turn: edges of types, sizes of records, numbers near to `base`. */
export function interesting(random: Random, base = 0): number {
  const draw = random();
  switch (draw & 3) {
    case 0:
      return (base + ((draw >>> 2) % 9) - 4) >>> 0;
    case 3:
      return random();
    default:
      return edges[(draw >>> 2) % edges.length] ?? 0;
  }
}

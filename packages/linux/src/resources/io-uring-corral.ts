import type { ImageRecord, RestoreScope, Value } from '@ckpt/engine';
import { Mm, Vma } from '@ckpt/format';
import { ascending, executorHole, type Range } from './memory-hole.ts';

/** sys/mman.h */
const PROT_NONE = 0;
const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const MAP_POPULATE = 0x8000;
/** Private, anonymous, not accounted, and nothing is replaced. */
const fence = 0x2 | 0x20 | 0x4000;
const MAP_FIXED_NOREPLACE = 0x10_0000;

/** vm.mmap_min_addr that distributions set, and the end of user space. */
const lowest = 0x1_0000n;
const highest = 0x7fff_ffff_f000n;

/**
 * An address space in which nothing is free but one place at a time: the only way to have a ring
 * mapped where it was, since mmap(2) takes no address for rings, nor mremap(2).
 */
export class Corral {
  readonly #scope: RestoreScope;
  readonly #from: ImageRecord;
  readonly #hole: Range;
  readonly #kept: Range[] = [];
  readonly #page: Value;

  /** Takes all that the executor leaves. It comes after the wipe, and before any other mapping. */
  constructor(scope: RestoreScope, from: ImageRecord) {
    const { vdso, vdso_size: size } = scope.document.one(Mm).value;
    const vmas = scope.document.all(Vma).map(({ value }) => value);
    const hole = executorHole([...vmas, { start: vdso, end: vdso + size }]);
    if (hole === undefined) throw from.invalid('ring_address', 'no room is left', 'ENOMEM');
    this.#scope = scope;
    this.#from = from;
    this.#hole = hole;
    for (const { start, end } of this.#around([hole])) {
      const args = [start, end - start, PROT_NONE, fence | MAP_FIXED_NOREPLACE, -1, 0];
      this.#call('mmap', args, start);
    }
    // The executor may have left its first page, where the program it began as was.
    const page = BigInt(scope.system.pageSize);
    this.#page = scope.call('wipe', from, 'mmap', [hole.start, page, PROT_NONE, fence, -1, 0], {
      failure: 'warn',
      what: 'a page beside the executor, for a moment',
    });
  }

  /** Maps a ring in its place, as the only one that is left. */
  map({ start, end }: Range, fd: Value, offset: number): void {
    const length = end - start;
    this.#call('munmap', [start, length]);
    const flags = MAP_SHARED | MAP_POPULATE;
    this.#call('mmap', [0, length, PROT_READ_WRITE, flags, fd, offset], start);
    this.#kept.push({ start, end });
  }

  /** Gives everything back but the rings. */
  open(): void {
    const page = BigInt(this.#scope.system.pageSize);
    this.#scope.call('wipe', this.#from, 'munmap', [this.#page, page], {
      failure: 'warn',
      what: 'a page beside the executor',
    });
    for (const { start, end } of this.#around([this.#hole, ...this.#kept])) {
      this.#call('munmap', [start, end - start]);
    }
  }

  #call(name: string, args: readonly Value[], expect: bigint | number = 0): void {
    this.#scope.call('wipe', this.#from, name, args, { expect, what: 'make room for a ring' });
  }

  /** All user addresses but those. */
  #around(taken: readonly Range[]): readonly Range[] {
    const gaps: Range[] = [];
    let at = lowest;
    for (const { start, end } of ascending(taken)) {
      if (start > at) gaps.push({ start: at, end: start });
      if (end > at) at = end;
    }
    if (at < highest) gaps.push({ start: at, end: highest });
    return gaps;
  }
}

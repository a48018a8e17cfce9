import { pageOf } from '@ckpt/engine/model';
import { cString } from '../procfs/text.ts';
import { library, logs, program } from './machine.ts';
import type { Maker } from './maker.ts';

/** sys/mman.h */
const READ = 1;
const READ_WRITE = 3;
const READ_EXEC = 5;
const SHARED = 1;
const PRIVATE = 2;
const ANONYMOUS = 0x20;
const NORESERVE = 0x4000;
const GROWSDOWN = 0x100;
const DROPPABLE = 8;
const FIXED = 0x10_0000;
const AT_FDCWD = -100;
/** open(2): O_RDWR, O_CREAT, O_EXCL. */
const READ_WRITE_CREATE = 0o302;
const page = 4096n;

/** Where the parts of the program are. */
export const addresses = {
  code: 0x5555_5555_4000n,
  data: 0x5555_5557_8000n,
  heap: 0x5555_5558_0000n,
  mapped: 0x7f00_0000_0000n,
  vdso: 0x7fff_f7fc_0000n,
  stack: 0x7fff_fffd_e000n,
  stackEnd: 0x7fff_ffff_f000n - page,
} as const;

/** Puts pages there that hold something, some of them nothing but zeros. */
function fill(maker: Maker, start: bigint, pages: number): void {
  const { space } = maker.process;
  for (let index = 0; index < pages; index++) {
    if (maker.once(2)) continue;
    const digest = maker.once(8) ? 0 : maker.below(0x7fff_ffff) + 1;
    space.setPage(start + BigInt(index) * page, pageOf(digest));
  }
}

function open(maker: Maker, path: string, flags: number): bigint {
  return maker.must('openat', [AT_FDCWD, { in: cString(path) }, flags, 0]);
}

function map(maker: Maker, start: bigint, pages: number, how: readonly [number, number]): void {
  const [protection, flags] = how;
  const args = [start, pages * 4096, protection, flags | ANONYMOUS | FIXED, -1, 0];
  maker.must('mmap', args);
}

/** Code, data, heap, stack, vdso, and what the kernel knows of them. */
export function makeProgram(maker: Maker): void {
  const { process } = maker;
  const { code, data, heap, stack, stackEnd, vdso } = addresses;
  const file = open(maker, program, 0);
  maker.must('mmap', [code, 0x20000, READ_EXEC, PRIVATE | FIXED, file, 0]);
  maker.must('mmap', [data, 0x2000, READ_WRITE, PRIVATE | FIXED, file, 0x10000]);
  maker.must('close', [file]);
  map(maker, heap, 4, [READ_WRITE, PRIVATE]);
  const stackPages = Number((stackEnd - stack) / page);
  map(maker, stack, stackPages, [READ_WRITE, PRIVATE | GROWSDOWN]);
  maker.must('arch_prctl', [0x2003, vdso]);
  fill(maker, data, 2);
  fill(maker, heap, 4);
  fill(maker, stackEnd - 4n * page, 4);
  Object.assign(process.mm, {
    ...{ startCode: code, endCode: code + 0x1f000n, startData: data, endData: data + 0x1800n },
    ...{ startBrk: heap, brk: heap + 0x3210n, startStack: stackEnd - 0x800n },
    ...{ argStart: stackEnd - 0x400n, argEnd: stackEnd - 0x3f0n },
    ...{ envStart: stackEnd - 0x3f0n, envEnd: stackEnd - 0x100n },
    ...{ exe: program, auxv: new Uint8Array(16) },
  });
}

/** A mapping of a file: private, or one that others see. */
function mapFile(maker: Maker, start: bigint, pages: number): void {
  const isShared = maker.once(3);
  const path = isShared ? (logs[1] ?? '') : library;
  const fd = open(maker, path, isShared ? 2 : 0);
  const flags = (isShared ? SHARED : PRIVATE) | FIXED;
  const protection = isShared ? READ_WRITE : maker.pick([READ, READ_EXEC, READ_WRITE]);
  const offset = BigInt(maker.below(4)) * page;
  maker.must('mmap', [start, pages * 4096, protection, flags, fd, offset]);
  maker.must('close', [fd]);
  if (!isShared && protection === READ_WRITE) fill(maker, start, pages);
}

/** A file without a name that is mapped, once or twice; perhaps it stays open. */
function mapUnnamed(maker: Maker, start: bigint, pages: number): void {
  const path = `/home/user/mapped-${start.toString(16)}`;
  const isMemfd = maker.once(2);
  const fd = isMemfd
    ? maker.must('memfd_create', [{ in: cString('mapped') }, 2])
    : open(maker, path, READ_WRITE_CREATE);
  const bytes = maker.bytes(100);
  maker.must('pwrite64', [fd, { in: bytes }, bytes.length, maker.below(pages) * 4096]);
  maker.must('ftruncate', [fd, pages * 4096]);
  // Of whom the process may become: what only root owns, nobody else may give to it.
  maker.must('fchown', [fd, 1000, 1000]);
  if (!isMemfd) maker.must('unlink', [{ in: cString(path) }]);
  const kind = maker.pick([SHARED, PRIVATE]);
  maker.must('mmap', [start, pages * 4096, READ_WRITE, kind | FIXED, fd, 0]);
  if (kind === PRIVATE) fill(maker, start, pages);
  if (maker.once(2)) {
    const place = start + 0x100_0000n;
    maker.must('mmap', [place, 4096, READ, SHARED | FIXED, fd, 4096 * maker.below(pages)]);
  }
  if (maker.once(2)) maker.must('close', [fd]);
  else if (isMemfd) maker.try('fcntl', [fd, 1033, maker.below(64)]);
}

/** Memory that several mappings may share. */
function mapShared(maker: Maker, start: bigint, pages: number): void {
  map(maker, start, pages, [READ_WRITE, SHARED | (maker.once(3) ? NORESERVE : 0)]);
  fill(maker, start, pages);
  if (!maker.once(2)) return;
  const first = maker.below(pages);
  const views = [start + BigInt(first) * page, 0, (pages - first) * 4096];
  maker.must('mremap', [...views, 3, start + 0x100_0000n]);
}

/** madvise(2): what can be said of any private memory. */
const advices = [1, 2, 10, 12, 14, 15, 16, 18] as const;

function dress(maker: Maker, start: bigint, pages: number): void {
  const length = pages * 4096;
  if (maker.once(4)) maker.must('madvise', [start, length, maker.pick(advices)]);
  if (maker.once(6)) maker.try('mlock2', [start, length, maker.below(2)]);
  const isLocked = maker.process.space.at(start)?.flags.has('lo') === true;
  if (maker.once(6) && !isLocked) maker.must('madvise', [start, 4096, 102]);
  if (maker.once(5)) {
    const name = { in: cString(maker.pick(['arena', 'jit code', 'x'])) };
    maker.must('prctl', [0x53564d41, 0, start, length, name]);
  }
  if (maker.once(3)) maker.must('mprotect', [start, length, maker.pick([READ, 0, 7, READ_EXEC])]);
  if (maker.once(10)) maker.must('mseal', [start, length, 0]);
}

function mapPrivate(maker: Maker, start: bigint, pages: number): void {
  const kind = maker.below(8);
  if (kind === 7) {
    maker.must('mmap', [start, pages * 4096, READ_WRITE, DROPPABLE | ANONYMOUS | FIXED, -1, 0]);
    return;
  }
  // A reserve of many GiB, of which the first pages are used.
  const isReserve = kind === 6;
  const whole = isReserve ? 1 << 20 : pages;
  const flags = PRIVATE | (isReserve || maker.once(4) ? NORESERVE : 0);
  map(maker, start, whole, [maker.pick([READ_WRITE, READ, 0, 7]), flags]);
  if (maker.process.space.at(start)?.flags.has('wr') === true) fill(maker, start, pages);
  dress(maker, start, pages);
}

/** Mappings of all kinds, at ascending addresses, with and without gaps. */
export function makeMappings(maker: Maker): void {
  let start: bigint = addresses.mapped;
  for (let count = maker.below(12); count > 0; count--) {
    const pages = 1 + maker.below(6);
    const make = maker.pick([mapPrivate, mapFile, mapShared, mapUnnamed]);
    make(maker, start, pages);
    const isLarge = maker.process.space.vmas.some(({ end }) => end - start > 1n << 31n);
    const isNext = maker.once(2) && make !== mapShared && make !== mapUnnamed && !isLarge;
    start += isNext ? BigInt(pages) * page : 0x2_0000_0000n;
  }
}

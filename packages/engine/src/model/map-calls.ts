import { addressMax, pageSize } from './address-space.ts';
import { mapAnonymous, mapFile, MAP_ANONYMOUS, type MapRequest } from './map-make.ts';
import { overlaps, type Range } from './ranges.ts';
import { refuse, Unmodelled } from './refuse.ts';
import type { Caller, SystemCalls, Words } from './system-call.ts';
import {
  changed,
  flagsOfProtection,
  objectPage,
  PROT_EXEC,
  PROT_READ,
  PROT_WRITE,
  willCount,
  type Vma,
} from './vma.ts';

/** sys/mman.h */
const MAP_FIXED = 0x10;
const MAP_FIXED_NOREPLACE = 0x10_0000;
const MREMAP_MAYMOVE = 1;
const MREMAP_FIXED = 2;
/** personality(2) */
const READ_IMPLIES_EXEC = 0x40_0000;
/** vm.max_map_count */
const mappingsMax = 65530;
const RLIMIT_AS = 9;
const CAP_SYS_RAWIO = 17;

const rounded = (length: bigint): bigint => ((length + pageSize - 1n) / pageSize) * pageSize;

/** A range of whole pages. @throws CkptError EINVAL, ENOMEM as the calls that take one. */
export function pagesOf(address: bigint, length: bigint): Range {
  if (address % pageSize !== 0n) refuse('EINVAL', 'not at a page');
  const end = address + rounded(length);
  if (end > addressMax || length > addressMax) refuse('ENOMEM', 'beyond user memory');
  return { start: address, end };
}

/** The executor cannot make what takes its own memory away. */
function sparesExecutor({ process }: Caller, range: Range): void {
  const arena = process.user.arena?.range;
  if (arena !== undefined && overlaps(arena, range)) {
    refuse('EFAULT', `${range.start.toString(16)} is memory of the executor`);
  }
}

function checkSize({ process }: Caller, length: bigint): void {
  const used = process.space.vmas.reduce((sum, { start, end }) => sum + end - start, 0n);
  if (used + length > process.limits.soft(RLIMIT_AS)) refuse('ENOMEM', 'over RLIMIT_AS');
  if (process.space.vmas.length >= mappingsMax) refuse('ENOMEM', 'too many mappings');
}

/** Where mmap(2) puts it. */
function place(caller: Caller, args: Words, length: bigint): Range {
  const { space, user } = caller.process;
  const flags = args.int(3);
  const address = args.word(0);
  const arena = user.arena?.range;
  const isFixed = (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) !== 0;
  if (!isFixed) {
    const hint = { start: address - (address % pageSize), end: address + length };
    const taken = arena !== undefined && overlaps(arena, hint);
    if (address !== 0n && hint.end <= addressMax && !taken && space.within(hint).length === 0) {
      return { start: hint.start, end: hint.start + length };
    }
    const start = space.free(length, arena) ?? refuse('ENOMEM', 'no addresses are left');
    return { start, end: start + length };
  }
  if (address > addressMax - length) refuse('ENOMEM', 'beyond user memory');
  const range = pagesOf(address, length);
  if (address < 4096n * 16n && !caller.thread.credentials.can(CAP_SYS_RAWIO)) {
    refuse('EPERM', 'below vm.mmap_min_addr');
  }
  if ((flags & MAP_FIXED_NOREPLACE) !== 0) {
    const inExecutor = arena !== undefined && overlaps(arena, range);
    if (inExecutor || space.within(range).length > 0) refuse('EEXIST', 'something is there');
  } else {
    sparesExecutor(caller, range);
    space.unmap(range);
  }
  return range;
}

function mmap(caller: Caller, args: Words): bigint {
  const { process } = caller;
  const wanted = args.int(2);
  const reads = (wanted & PROT_READ) !== 0 && (process.personality & READ_IMPLIES_EXEC) !== 0;
  const protection = reads ? wanted | PROT_EXEC : wanted;
  const length = rounded(args.word(1));
  if (args.word(5) % pageSize !== 0n) refuse('EINVAL', 'an offset that is not at a page');
  if (length === 0n) refuse('EINVAL', 'a mapping of no bytes');
  if (length > addressMax) refuse('ENOMEM', 'beyond user memory');
  const request: MapRequest = { protection, flags: args.int(3), offset: args.word(5), length };
  const anonymous = (request.flags & MAP_ANONYMOUS) !== 0;
  const file = anonymous ? undefined : process.table.file(args.int(4));
  checkSize(caller, length);
  const made = file === undefined ? mapAnonymous(caller, request) : mapFile(file, request);
  if ('isOfKernel' in made && made.isOfKernel && args.word(0) !== 0n) {
    refuse('EINVAL', 'the kernel alone places it');
  }
  const { backing } = made;
  const range = place(caller, args, length);
  const flags = changed(made.flags, process.space.locksFuture);
  process.space.insert({ flags, backing, ...range, name: '' });
  return range.start;
}

function munmap(caller: Caller, args: Words): number {
  if (args.word(1) === 0n) refuse('EINVAL', 'no bytes');
  const address = args.word(0);
  if (address > addressMax || args.word(1) > addressMax - address) refuse('EINVAL', 'no range');
  if (address % pageSize !== 0n) refuse('EINVAL', 'not at a page');
  const range = pagesOf(address, args.word(1));
  sparesExecutor(caller, range);
  caller.process.space.unmap(range);
  return 0;
}

function protect(vma: Vma, protection: number): Vma {
  const maximum: readonly (readonly [string, number])[] = [
    ['mr', PROT_READ],
    ['mw', PROT_WRITE],
    ['me', PROT_EXEC],
  ];
  for (const [flag, bit] of maximum) {
    if ((protection & bit) !== 0 && !vma.flags.has(flag)) refuse('EACCES', 'not this protection');
  }
  const writes = (protection & PROT_WRITE) !== 0 && willCount(vma);
  const add = [...flagsOfProtection(protection), ...(writes ? ['ac'] : [])];
  return { ...vma, flags: changed(vma.flags, add, ['rd', 'wr', 'ex']) };
}

function mprotect(caller: Caller, args: Words): number {
  const { space, personality } = caller.process;
  const wanted = args.int(2);
  if ((wanted & ~7) !== 0) refuse('EINVAL', `protection ${wanted}`);
  if (args.word(1) === 0n) return 0;
  const range = pagesOf(args.word(0), args.word(1));
  if (!space.covers(range)) refuse('ENOMEM', 'something is not mapped');
  const inside = space.within(range);
  if (inside.some(({ flags }) => flags.has('sl'))) refuse('EPERM', 'it is sealed');
  const reads = (wanted & PROT_READ) !== 0 && (personality & READ_IMPLIES_EXEC) !== 0;
  const protection = reads ? wanted | PROT_EXEC : wanted;
  // All of it or nothing, as far as what may be allowed at all goes.
  for (const vma of inside) protect(vma, protection);
  space.update(range, (vma) => protect(vma, protection));
  return 0;
}

/** One more view of shared memory (old size 0), at a place that is told. */
function mremap(caller: Caller, args: Words): bigint {
  const { space } = caller.process;
  const flags = args.int(3);
  const address = args.word(0);
  const length = rounded(args.word(2));
  if (flags !== (MREMAP_MAYMOVE | MREMAP_FIXED)) refuse('EINVAL', 'only to a place that is told');
  if (address % pageSize !== 0n || length === 0n) refuse('EINVAL', 'no whole pages');
  const to = pagesOf(args.word(4), length);
  const old = { start: address, end: address + rounded(args.word(1)) };
  if (overlaps(old, to)) refuse('EINVAL', 'onto itself');
  const vma = space.at(address) ?? refuse('EFAULT', 'nothing is mapped there');
  if (vma.flags.has('sl')) refuse('EPERM', 'it is sealed');
  const copies = old.start === old.end;
  if (copies && !vma.flags.has('sh') && !vma.flags.has('ms')) refuse('EINVAL', 'it is not shared');
  if (!copies && old.end > vma.end) refuse('EFAULT', 'it is not one mapping');
  if (!copies && vma.flags.has('de') && length > old.end - old.start)
    refuse('EFAULT', 'it has a size');
  checkSize(caller, length);
  sparesExecutor(caller, to);
  const { backing } = vma;
  const moved =
    backing.kind === 'object'
      ? { ...backing, offset: objectPage(vma, backing.offset, address) * pageSize }
      : backing;
  const pages = copies
    ? []
    : space.ownPages(old).map((page) => [page, space.read(page, Number(pageSize))] as const);
  space.unmap(to);
  if (!copies) space.unmap(old);
  space.insert({ ...vma, ...to, backing: moved });
  for (const [page, bytes] of pages) {
    if (page - old.start < length) space.setPage(page - old.start + to.start, bytes);
  }
  return to.start;
}

function msync(caller: Caller, args: Words): number {
  const flags = args.int(2);
  if ((flags & ~7) !== 0 || (flags & 5) === 5) refuse('EINVAL', `flags ${flags}`);
  const range = pagesOf(args.word(0), args.word(1));
  if (!caller.process.space.covers(range)) refuse('ENOMEM', 'something is not mapped');
  return 0;
}

/** Which pages are there: of shared memory those that it holds, of a private mapping its own. */
function mincore({ process }: Caller, args: Words): number {
  const range = pagesOf(args.word(0), args.word(1));
  const { space, user } = process;
  if (!space.covers(range)) refuse('ENOMEM', 'something is not mapped');
  const present = new Uint8Array(Number((range.end - range.start) / pageSize));
  const own = new Set(space.ownPages(range));
  for (const index of present.keys()) {
    const page = range.start + BigInt(index) * pageSize;
    const vma = space.at(page);
    const object = vma?.backing.kind === 'object' ? vma.backing : undefined;
    const shared =
      vma !== undefined && object?.object.has(objectPage(vma, object.offset, page)) === true;
    // What is locked was filled when it was mapped.
    const locked = vma?.backing.kind === 'anonymous' && vma.flags.has('lo') && !vma.flags.has('lf');
    if (own.has(page) || shared || locked) present[index] = 1;
  }
  user.write(args.word(2), present);
  return 0;
}

/** The break, which here nobody moves. */
function brk({ process }: Caller, args: Words): bigint {
  if (args.word(0) !== 0n) throw new Unmodelled('brk(2) that moves');
  return process.mm.brk;
}

export const mapCalls: SystemCalls = { mmap, munmap, mprotect, mremap, msync, mincore, brk };

import type { OpenFile } from './open-file.ts';
import { SharedMemory } from './memory-object.ts';
import { refuse } from './refuse.ts';
import type { Caller } from './system-call.ts';
import { flagsOfProtection, PROT_EXEC, PROT_WRITE, type Vma } from './vma.ts';

/** sys/mman.h */
const MAP_TYPE = 0x0f;
const MAP_SHARED = 1;
const MAP_PRIVATE = 2;
const MAP_DROPPABLE = 8;
export const MAP_ANONYMOUS = 0x20;
const MAP_GROWSDOWN = 0x100;
const MAP_LOCKED = 0x2000;
const MAP_NORESERVE = 0x4000;
const MAP_STACK = 0x2_0000;
/** open(2) */
const O_ACCMODE = 3;
const O_WRONLY = 1;
const O_RDWR = 2;

export interface MapRequest {
  readonly protection: number;
  readonly flags: number;
  readonly offset: bigint;
  readonly length: bigint;
}

type Made = Pick<Vma, 'flags' | 'backing'>;

/** A mapping of a file, and whether an address may not be asked for. */
export interface MadeOfFile extends Made {
  readonly isOfKernel: boolean;
}

/** Flags of mmap(2) that stay with a mapping. */
function lasting(flags: number): readonly string[] {
  return [
    ...((flags & MAP_GROWSDOWN) === 0 ? [] : ['gd']),
    ...((flags & MAP_LOCKED) === 0 ? [] : ['lo']),
    ...((flags & MAP_NORESERVE) === 0 ? [] : ['nr']),
    ...((flags & MAP_STACK) === 0 ? [] : ['nh']),
  ];
}

/** What is private and writable counts against the commit limit, unless it is told not to. */
function counts({ protection, flags }: MapRequest): readonly string[] {
  const writes = (protection & PROT_WRITE) !== 0;
  return writes && (flags & MAP_NORESERVE) === 0 ? ['ac'] : [];
}

const all = ['mr', 'mw', 'me'];

/** Memory without a file. @throws CkptError EINVAL for a kind of mapping that there is not. */
export function mapAnonymous({ process }: Caller, request: MapRequest): Made {
  const { protection, flags } = request;
  const base = [...flagsOfProtection(protection), ...all, ...lasting(flags)];
  const backing = { kind: 'anonymous' } as const;
  switch (flags & MAP_TYPE) {
    case MAP_PRIVATE:
      return { flags: new Set([...base, ...counts(request)]), backing };
    case MAP_DROPPABLE:
      if ((flags & MAP_GROWSDOWN) !== 0) refuse('EINVAL', 'it cannot grow');
      return { flags: new Set([...base, 'nr', 'wf', 'dd', 'dp']), backing };
    case MAP_SHARED: {
      if ((flags & MAP_GROWSDOWN) !== 0) refuse('EINVAL', 'shared memory cannot grow');
      const object = new SharedMemory(process.machine.nextInode());
      return {
        flags: new Set([...base, 'sh', 'ms']),
        backing: { kind: 'object', object, offset: 0n },
      };
    }
    default:
      return refuse('EINVAL', `flags ${flags.toString(16)}`);
  }
}

/** What a descriptor leads to. @throws CkptError EACCES, EINVAL, ENODEV as mmap(2). */
export function mapFile(file: OpenFile, request: MapRequest): MadeOfFile {
  const { protection, flags, offset, length } = request;
  const mode = file.flags & O_ACCMODE;
  const isShared = (flags & MAP_TYPE) === MAP_SHARED || (flags & MAP_TYPE) === 3;
  if (!isShared && (flags & MAP_TYPE) !== MAP_PRIVATE) refuse('EINVAL', 'a kind of mapping');
  if (mode === O_WRONLY) refuse('EACCES', 'it cannot be read');
  if (isShared && (protection & PROT_WRITE) !== 0 && mode !== O_RDWR) {
    refuse('EACCES', 'it cannot be written');
  }
  const mapped =
    file.object.map?.(offset, length, isShared) ?? refuse('ENODEV', 'it cannot be mapped');
  if ((flags & MAP_GROWSDOWN) !== 0) refuse('EINVAL', 'a file cannot grow down');
  const { isOfKernel = false, flags: extra = [] } = mapped;
  if (isOfKernel && (protection & PROT_EXEC) !== 0) refuse('EPERM', 'it is never code');
  const base = [...flagsOfProtection(protection), ...lasting(flags), ...extra];
  const writable = mode === O_RDWR ? ['mr', 'mw', 'me', 'sh', 'ms'] : ['mr', 'me', 'ms'];
  const more = isShared ? writable : [...all, ...counts(request)];
  const may = more.filter((flag) => flag !== 'me' || !isOfKernel);
  return {
    flags: new Set([...base, ...may]),
    backing: { kind: 'object', object: mapped.object, offset },
    isOfKernel,
  };
}

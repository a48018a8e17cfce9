import { addressMax, pageSize } from './address-space.ts';
import { overlaps } from './ranges.ts';
import { refuse, Unmodelled } from './refuse.ts';
import type { Caller, SystemCalls, Words } from './system-call.ts';
import type { Vma } from './vma.ts';

/** asm/prctl.h */
const ARCH_MAP_VDSO_64 = 0x2003;
const ARCH_GET_CPUID = 0x1011;

/** Bytes of [vdso], and of [vvar_vclock], which Linux 6.13 took out of [vvar]. */
const vdsoSize = 2n * pageSize;
const vclockSize = 2n * pageSize;

const names = ['[vvar]', '[vvar_vclock]', '[vdso]'];
const dataFlags = ['rd', 'mr', 'pf', 'io', 'de', 'dd'];
const codeFlags = ['rd', 'ex', 'mr', 'mw', 'me', 'de'];

/** The block that the kernel puts into every address space. */
export function vdsoAt(address: bigint, size: bigint): readonly Vma[] {
  const vvar = size - vclockSize - vdsoSize;
  const sizes = [vvar, vclockSize, vdsoSize];
  let start = address;
  return sizes.map((length, index) => {
    const vma: Vma = {
      start,
      end: start + length,
      flags: new Set(index === 2 ? codeFlags : dataFlags),
      backing: { kind: 'kernel', name: names[index] ?? '' },
      name: '',
    };
    start += length;
    return vma;
  });
}

function mapVdso({ process }: Caller, args: Words): bigint {
  const { space, user, machine } = process;
  const size = BigInt(machine.system.vdsoSize);
  if (size < vclockSize + vdsoSize + pageSize) refuse('EINVAL', 'this kernel has no vdso');
  const isThere = ({ backing }: Vma): boolean =>
    backing.kind === 'kernel' && names.includes(backing.name);
  if (space.vmas.some(isThere)) refuse('EEXIST', 'there is one already');
  // The address is a hint: where something is already, the kernel takes another place.
  const wanted = { start: args.word(1), end: args.word(1) + size };
  const arena = user.arena?.range;
  const fits =
    wanted.start % pageSize === 0n &&
    wanted.end <= addressMax &&
    space.within(wanted).length === 0 &&
    (arena === undefined || !overlaps(arena, wanted));
  const start = fits ? wanted.start : (space.free(size, arena) ?? refuse('ENOMEM', 'no place'));
  for (const vma of vdsoAt(start, size)) space.insert(vma);
  return vdsoSize;
}

function archPrctl(caller: Caller, args: Words): bigint | number {
  switch (args.int(0)) {
    case ARCH_MAP_VDSO_64:
      return mapVdso(caller, args);
    case ARCH_GET_CPUID:
      return 1;
    default:
      throw new Unmodelled(`arch_prctl(0x${args.int(0).toString(16)})`);
  }
}

export const vdsoCalls: SystemCalls = { arch_prctl: archPrctl };

import type { CheckpointScope, ImageRecord, RestoreScope } from '@ckpt/engine';
import { HeaderArch, Mm } from '@ckpt/format';
import type { Mapping } from '../procfs/smaps.ts';
import { ascending, freeRange, type Range } from './memory-hole.ts';
import { restoreOldVdso, writersVdso } from './vdso-old.ts';
import { addressMax } from './vma-classify.ts';

/** In the order in which the kernel maps them; the second is not there before Linux 6.13. */
const order = ['[vvar]', '[vvar_vclock]', '[vdso]'];

/** asm/prctl.h */
const ARCH_MAP_VDSO_64 = 0x2003;
/** sys/mman.h: looks whether all is mapped, writes nothing. */
const MS_ASYNC = 1;

/** Where [vvar] and [vdso] are, as one block; 0 and 0 when the process has none. */
export function checkpointVdso(
  scope: CheckpointScope,
  parts: readonly Mapping[],
): { readonly vdso: bigint; readonly vdso_size: bigint } {
  const [first] = parts;
  const last = parts.at(-1);
  if (first === undefined || last === undefined) return { vdso: 0n, vdso_size: 0n };
  const adjacent = parts.every(({ start }, i) => i === 0 || parts[i - 1]?.end === start);
  const inOrder = parts.every(({ name }, i) => {
    const before = parts[i - 1];
    return before === undefined || order.indexOf(before.name) < order.indexOf(name);
  });
  const size = last.end - first.start;
  const whole = size === BigInt(scope.system.vdsoSize);
  if (!adjacent || !inOrder || !whole) {
    scope.refuse({
      thing: parts.map(({ name }) => name).join(', '),
      reason: 'they are not one block as this kernel maps it',
      remedy: 'checkpoint a process that has not moved or unmapped parts of its vdso',
    });
  }
  return { vdso: first.start, vdso_size: size };
}

/** True when the program's vdso is this kernel's, or it has none. */
function isOwn(scope: RestoreScope, { value: { vdso } }: ImageRecord<Mm>): boolean {
  const { vdso_hash: hash, vdso_size: size } = scope.document.one(HeaderArch).value;
  const { vdsoHash, vdsoSize } = scope.system;
  return vdso === 0n || (hash === vdsoHash && size === vdsoSize);
}

/**
 * Where this kernel's [vvar] and [vdso] go; undefined where there are none.
 * @param taken all that the program has, and the executor.
 * @throws CkptError ENOMEM
 */
export function vdsoPlace(scope: RestoreScope, taken: readonly Range[]): Range | undefined {
  const mm = scope.document.one(Mm);
  const { vdso: start, vdso_size: size } = mm.value;
  if (start === 0n) return undefined;
  if (isOwn(scope, mm)) return { start, end: start + size };
  const place = freeRange(ascending(taken), BigInt(scope.system.vdsoSize));
  if (place === undefined) throw mm.invalid('vdso_size', 'no room for a second vdso', 'ENOMEM');
  return place;
}

/**
 * Plans to map [vvar] and [vdso] in their place: the old one when they are the same, for code of the
 * program leads into them; else another, and the old one's functions lead there.
 * @throws CkptError EINVAL, ENOSYS, ENOEXEC for a vdso that this kernel's cannot stand in for; EBUSY.
 */
export function restoreVdso(scope: RestoreScope, mm: ImageRecord<Mm>, place: Range): void {
  const { vdso, vdso_size: size } = mm.value;
  const page = BigInt(scope.system.pageSize);
  if (vdso % page !== 0n || size % page !== 0n || size === 0n || vdso + size > addressMax) {
    throw mm.invalid('vdso_size', `${size.toString()} bytes of vdso at ${vdso.toString(16)}`);
  }
  if (isOwn(scope, mm)) {
    writersVdso(scope.document.one(HeaderArch));
    if (size !== BigInt(scope.system.vdsoSize)) {
      throw mm.invalid('vdso_size', `${size.toString()} bytes of vdso at ${vdso.toString(16)}`);
    }
  } else restoreOldVdso(scope, mm, place);
  const at = place.start.toString(16);
  scope.call('maps', mm, 'arch_prctl', [ARCH_MAP_VDSO_64, place.start], { what: 'map the vdso' });
  scope.call('maps', mm, 'msync', [place.start, place.end - place.start, MS_ASYNC], {
    what: `map the vdso at ${at}`,
  });
}

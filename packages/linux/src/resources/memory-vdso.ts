import type { CheckpointScope, ImageRecord, RestoreScope } from '@ckpt/engine';
import type { Mm } from '@ckpt/format';
import type { Mapping } from '../procfs/smaps.ts';
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

/**
 * Plans to map [vvar] and [vdso] at their old place. That they are the same ones, code of the
 * program leads into them, was checked with the machine.
 * @throws CkptError EINVAL when this kernel's block has another size.
 */
export function restoreVdso(scope: RestoreScope, mm: ImageRecord<Mm>): void {
  const { vdso, vdso_size: size } = mm.value;
  if (vdso === 0n) return;
  if (size !== BigInt(scope.system.vdsoSize) || vdso + size > addressMax) {
    throw mm.invalid('vdso_size', `${size.toString()} bytes of vdso at ${vdso.toString(16)}`);
  }
  scope.call('maps', mm, 'arch_prctl', [ARCH_MAP_VDSO_64, vdso], { what: 'map the vdso' });
  scope.call('maps', mm, 'msync', [vdso, size, MS_ASYNC], {
    what: `map the vdso at ${vdso.toString(16)}`,
  });
}

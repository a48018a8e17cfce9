import type { ImageRecord, RestoreScope, Value } from '@ckpt/engine';
import { CKPT_HDR_BUFFER, CkptError, Cpu, crc32c, HeaderArch, type Mm } from '@ckpt/format';
import { cString } from '../procfs/text.ts';
import type { Range } from './memory-hole.ts';
import { jumpSize, nameOf, redirectVdso } from './vdso-redirect.ts';
import { vdsoFunctions, type VdsoFunction } from './vdso-symbols.ts';

/** sys/mman.h */
const PROT_READ = 1;
const PROT_WRITE = 2;
const PROT_EXEC = 4;
/** MAP_PRIVATE, MAP_ANONYMOUS, MAP_FIXED_NOREPLACE. */
const fixed = 0x2 | 0x20 | 0x10_0000;
const MFD_CLOEXEC = 1;

type Arch = ImageRecord<HeaderArch>;

const bytesIn = ({ length }: Uint8Array, pageSize: number): bigint =>
  BigInt(Math.ceil(length / pageSize) * pageSize);

/** The ELF image of the vdso that the program knows. @throws CkptError EINVAL for another one. */
export function writersVdso(arch: Arch): Uint8Array {
  const bytes = arch.bytesOf(CKPT_HDR_BUFFER);
  const { vdso_hash: hash } = arch.value;
  if (bytes.length === 0 || crc32c(bytes) === hash) return bytes;
  throw arch.invalid('vdso_hash', `the vdso's hash is not 0x${hash.toString(16)}`);
}

/** Threads go on inside of the old code: not where a jump is put, nor where it reads a time. */
function checkThreads(
  scope: RestoreScope,
  start: bigint,
  functions: readonly VdsoFunction[],
): void {
  for (const cpu of scope.document.all(Cpu)) {
    const { tid, rip } = cpu.value;
    const inside = functions.find(({ offset, size }) => {
      const entry = start + BigInt(offset);
      return rip > entry && rip < entry + BigInt(Math.max(size, jumpSize));
    });
    if (inside === undefined) continue;
    const name = nameOf(inside);
    const isAtJump = rip < start + BigInt(inside.offset + jumpSize);
    if (isAtJump || ['time', 'clock_getres'].includes(name)) {
      const sentence = `thread ${tid} is inside ${name} of a vdso that this kernel has not`;
      throw cpu.invalid(
        'rip',
        `${sentence}: take another checkpoint, or use the old kernel`,
        'EBUSY',
      );
    }
    scope.note(
      `thread ${tid} was inside ${name} of another kernel's vdso: that one call asks the kernel, ` +
        'and a coarse clock may be wrong in it',
    );
  }
}

/**
 * Plans the old vdso as memory of the program's own, its functions led to this kernel's. In the place of
 * its [vvar] are zeros: they tell code that was interrupted to ask the kernel.
 */
export function restoreOldVdso(scope: RestoreScope, mm: ImageRecord<Mm>, place: Range): void {
  const { system, document } = scope;
  const arch = document.one(HeaderArch);
  const { vdso: start, vdso_size: size } = mm.value;
  const old = writersVdso(arch);
  const own = system.vdso;
  const isKnown = old.length > 0 && own !== undefined;
  const code = start + size - bytesIn(old, system.pageSize);
  if (!isKnown || size !== BigInt(arch.value.vdso_size) || code < start) {
    const [from, to] = [arch.value.vdso_hash, system.vdsoHash].map((hash) => hash.toString(16));
    const sentence = `incompatible vdso: the image has 0x${from ?? ''}, this kernel 0x${to ?? ''}`;
    throw arch.invalid('vdso_hash', `${sentence}; restart it under the kernel it comes from`);
  }
  const bytes = led(arch, () => {
    checkThreads(scope, code, vdsoFunctions(old));
    return redirectVdso(old, own, place.end - bytesIn(own, system.pageSize));
  });
  const what = `the vdso of another kernel at ${start.toString(16)}`;
  const call = (name: string, args: readonly Value[], expect?: bigint | number): Value =>
    scope.call('maps', mm, name, args, { what, ...(expect === undefined ? {} : { expect }) });
  if (code > start) call('mmap', [start, code - start, PROT_READ, fixed, -1, 0], start);
  call('mmap', [code, start + size - code, PROT_READ | PROT_WRITE, fixed, -1, 0], code);
  const fd = call('memfd_create', [{ blob: cString('vdso') }, MFD_CLOEXEC]);
  call('write', [fd, { blob: bytes }, bytes.length], bytes.length);
  call('pread64', [fd, code, bytes.length, 0], bytes.length);
  call('close', [fd]);
  call('mprotect', [code, start + size - code, PROT_READ | PROT_EXEC]);
  scope.note("its vdso is another kernel's: calls through it are led to this one's");
}

/** Errors of the image's vdso, at the record that has it. */
function led<T>(arch: Arch, use: () => T): T {
  try {
    return use();
  } catch (error) {
    if (!(error instanceof CkptError) || error.position !== undefined) throw error;
    throw arch.invalid('vdso_hash', `incompatible vdso: ${error.sentence}`, error.code);
  }
}

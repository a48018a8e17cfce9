import { CkptError } from '@ckpt/format';
import { vdsoFunctions, type VdsoFunction } from './vdso-symbols.ts';

/** Bytes of {@link jumpTo}: no function that is led elsewhere may be shorter. */
export const jumpSize = 12;

/** asm/unistd_64.h: what each function asks when it cannot answer by itself. */
const callNumbers: Readonly<Record<string, number>> = {
  gettimeofday: 96,
  time: 201,
  clock_gettime: 228,
  clock_getres: 229,
  getcpu: 309,
  getrandom: 318,
};

/** movabs rax, address; jmp rax. No argument is in rax, and no caller keeps anything there. */
function jumpTo(address: bigint): Uint8Array {
  const code = Uint8Array.from([0x48, 0xb8, ...new Uint8Array(8), 0xff, 0xe0]);
  new DataView(code.buffer).setBigUint64(2, address, true);
  return code;
}

/** mov eax, number; syscall; ret. Arguments of these functions are those of the call. */
function systemCall(number: number): Uint8Array {
  const code = Uint8Array.of(0xb8, 0, 0, 0, 0, 0x0f, 0x05, 0xc3);
  new DataView(code.buffer).setUint32(1, number, true);
  return code;
}

/** "time" of "__vdso_time". */
const plainName = (name: string): string => name.replace(/^__vdso_/, '');

/** The name that tells most of a function, without its prefix. */
export function nameOf({ names }: VdsoFunction): string {
  return plainName(names.find((name) => plainName(name) in callNumbers) ?? names[0] ?? '');
}

function codeFor(one: VdsoFunction, own: readonly VdsoFunction[], address: bigint): Uint8Array {
  const wanted = new Set(one.names.map(plainName));
  const same = own.find(({ names }) => names.some((name) => wanted.has(plainName(name))));
  if (same !== undefined) return jumpTo(address + BigInt(same.offset));
  const number = callNumbers[nameOf(one)];
  if (number !== undefined) return systemCall(number);
  const sentence = `this kernel's vdso has no ${nameOf(one)}, nor a system call for it`;
  throw new CkptError('ENOSYS', sentence);
}

/**
 * The code of another kernel's vdso, whose functions lead into this kernel's: programs and
 * libraries keep the addresses that they once looked up.
 * @param address where this kernel's own is mapped.
 * @throws CkptError ENOEXEC for what is no vdso; ENOSYS for a function that nothing here can do.
 */
export function redirectVdso(old: Uint8Array, own: Uint8Array, address: bigint): Uint8Array {
  const bytes = old.slice();
  const ownFunctions = vdsoFunctions(own);
  let end = 0;
  for (const one of vdsoFunctions(old)) {
    if (one.offset < end || one.offset + jumpSize > bytes.length) {
      throw new CkptError('ENOSYS', `${nameOf(one)} of the old vdso is too short to be redirected`);
    }
    bytes.set(codeFor(one, ownFunctions, address), one.offset);
    end = one.offset + jumpSize;
  }
  return bytes;
}

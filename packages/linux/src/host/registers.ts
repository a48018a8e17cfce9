/** Registers of x86-64 in the order of struct user_regs_struct (sys/user.h), 8 bytes each. */
// prettier-ignore
const registerNames = [
  'r15', 'r14', 'r13', 'r12', 'rbp', 'rbx', 'r11', 'r10', 'r9', 'r8', 'rax', 'rcx', 'rdx', 'rsi', 'rdi',
  'orig_rax', 'rip', 'cs', 'eflags', 'rsp', 'ss', 'fs_base', 'gs_base', 'ds', 'es', 'fs', 'gs',
] as const;

export type RegisterName = (typeof registerNames)[number];

/** Bytes of struct user_regs_struct. */
export const registersSize = registerNames.length * 8;

const offsets = Object.fromEntries(
  registerNames.map((name, index) => [name, index * 8]),
) as Readonly<Record<RegisterName, number>>;

const view = (registers: Uint8Array): DataView =>
  new DataView(registers.buffer, registers.byteOffset, registers.byteLength);

/** One register, unsigned. */
export function getRegister(registers: Uint8Array, name: RegisterName): bigint {
  return view(registers).getBigUint64(offsets[name], true);
}

/** One register as a signed number: what a system call returned, which one it was. */
export function getSigned(registers: Uint8Array, name: RegisterName): bigint {
  return view(registers).getBigInt64(offsets[name], true);
}

/** A copy with some registers changed; the rest stays as it is. */
export function withRegisters(
  registers: Uint8Array,
  changes: Readonly<Partial<Record<RegisterName, bigint | number>>>,
): Uint8Array {
  const changed = registers.slice();
  const to = view(changed);
  for (const [name, value] of Object.entries(changes)) {
    to.setBigUint64(offsets[name as RegisterName], BigInt.asUintN(64, BigInt(value)), true);
  }
  return changed;
}

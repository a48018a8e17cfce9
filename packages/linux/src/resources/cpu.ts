import type { CheckpointScope, ImageRecord, Thread } from '@ckpt/engine';
import { CKPT_HDR_CPU_FPU, Cpu } from '@ckpt/format';
import { addressMax } from './vma-classify.ts';

/** Where struct user_regs_struct stands in a {@link Cpu} record: after header, tid and padding. */
const registersOffset = 16;

/** Selectors of 64-bit code and of its stack (asm/segment.h). */
const userCode = 0x33n;
const userData = 0x2bn;

/** Flags that a program may have (asm/processor-flags.h): arithmetic, direction, alignment, ID. */
const userFlags = 0x25_0cd5n;
/** Always set: bit 1, and interrupts. */
const fixedFlags = 0x202n;
/** Single steps: of a debugger, never of the program. */
const trapFlag = 0x100n;
/** Nested task: a leftover that the kernel takes away itself. */
const nestedFlag = 0x4000n;

/** Registers as ptrace gives them, as a record. */
export function cpuOf(tid: number, registers: Uint8Array): Cpu {
  const bytes = new Uint8Array(Cpu.size);
  bytes.set(registers.subarray(0, Cpu.size - registersOffset), registersOffset);
  return { ...Cpu.decode(bytes), tid };
}

/** Registers as ptrace takes them. */
export function registersOf(cpu: Cpu): Uint8Array {
  return Cpu.encode(cpu).slice(registersOffset);
}

/** What there is in a segment register when no program has put something there. */
const isPlainSegment = (selector: bigint): boolean => selector === 0n || selector === userData;

/** Image: {@link Cpu}, then the xstate area as CPU_FPU. */
export function checkpointCpu(
  scope: CheckpointScope,
  thread: Thread,
  cpu: Cpu,
  xstate: Uint8Array,
): void {
  if (cpu.cs !== userCode) {
    scope.refuse({
      thing: `thread ${thread.tid}`,
      reason: 'it runs 32-bit code',
      remedy: 'use a 64-bit build of the program',
    });
  }
  if (![cpu.ds, cpu.es, cpu.fs, cpu.gs].every(isPlainSegment)) {
    scope.refuse({
      thing: `thread ${thread.tid}`,
      reason: 'it uses segments of its own (modify_ldt(2), set_thread_area(2))',
      remedy: 'use a program without them',
    });
  }
  scope.emit(Cpu, cpu);
  scope.emitBytes(CKPT_HDR_CPU_FPU, xstate);
}

/**
 * Registers to go on with.
 * @throws CkptError EINVAL for what no thread of a program has.
 */
export function checkRegisters(record: ImageRecord<Cpu>): Cpu {
  const cpu = record.value;
  const known = userFlags | fixedFlags | trapFlag | nestedFlag;
  if (cpu.cs !== userCode || cpu.ss !== userData) {
    throw record.invalid('cs', `segments ${cpu.cs.toString(16)} and ${cpu.ss.toString(16)}`);
  }
  if (![cpu.ds, cpu.es, cpu.fs, cpu.gs].every(isPlainSegment)) {
    throw record.invalid('ds', 'segment registers that no 64-bit program has');
  }
  if ((cpu.eflags & ~known) !== 0n) {
    throw record.invalid('eflags', `flags ${cpu.eflags.toString(16)}`);
  }
  for (const [field, value] of Object.entries({ rip: cpu.rip, fs_base: cpu.fs_base })) {
    if (value >= addressMax) throw record.invalid(field, `address ${value.toString(16)}`);
  }
  if (cpu.gs_base >= addressMax) throw record.invalid('gs_base', cpu.gs_base.toString(16));
  return { ...cpu, eflags: (cpu.eflags & userFlags) | fixedFlags };
}

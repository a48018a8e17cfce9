import { executorCode, executorLabels, executorSize, frameLayout } from './executor-code.ts';
import { continuing, endsByAnyHandler, restarting } from './interrupted.ts';
import { getRegister } from './registers.ts';
import type { OwnState } from './tracee.ts';

/** A thread that the executor may run in, and how it is to stop there. */
export interface Guest {
  readonly tid: number;
  readonly own: OwnState;
  /** Ids as the thread itself knows them: those of its pid namespace. */
  readonly ownTgid: number;
  readonly ownTid: number;
  /** A signal that the process ignores by default; 0: none is free, system calls are traced. */
  readonly stopSignal: number;
  /** Signals whose handler, run first, would end the interrupted call of this thread. */
  readonly interrupting: bigint;
}

/** TF: single steps. The debugger that wanted them would not get them. */
const trapFlag = 0x100n;

const ownRegisters = [
  ...(['r15', 'r14', 'r13', 'r12', 'rbp', 'rbx', 'r11', 'r10', 'r9', 'r8', 'rcx'] as const),
  ...(['rdx', 'rsi', 'rdi', 'rsp'] as const),
];

/** Signals that are blocked while the executor runs: all but its own. */
export function runningMask({ stopSignal }: Guest): bigint {
  return stopSignal === 0 ? -1n : ~(1n << BigInt(stopSignal - 1));
}

/** Code and frame for one thread. */
export function executorImage(guest: Guest, arenaSize: number): Buffer {
  const image = Buffer.alloc(executorSize);
  image.set(executorCode);
  const put = (field: keyof typeof frameLayout, value: bigint): void => {
    const at = executorLabels.frame + frameLayout[field];
    image.writeBigUInt64LE(BigInt.asUintN(64, value), at);
  };
  const { registers, mask, rseq } = guest.own;
  for (const name of ownRegisters) put(`own_${name}`, getRegister(registers, name));
  const entered = continuing(registers);
  const restarted = restarting(registers);
  put('flags', getRegister(registers, 'eflags') & ~trapFlag);
  put('entered_rax', entered.rax);
  put('entered_rip', rseq.criticalSection === 0n ? entered.rip : rseq.abort);
  put('restarted_rax', restarted.rax);
  put('restarted_rip', restarted.rip);
  put('mask_running', runningMask(guest));
  put('mask_all', -1n);
  put('mask_own', mask);
  const counts = endsByAnyHandler(registers);
  put('interrupting', counts ? guest.interrupting & ~mask : 0n);
  put('arena_size', BigInt(arenaSize));
  const ids = executorLabels.frame + frameLayout.tgid;
  image.writeInt32LE(guest.ownTgid, ids);
  image.writeInt32LE(guest.ownTid, ids + 4);
  image.writeInt32LE(guest.stopSignal, ids + 8);
  return image;
}

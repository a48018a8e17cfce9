import { crc32c } from '@ckpt/format';
import type { ThreadState } from '../frozen.ts';
import { hexOf } from './hex.ts';

type Parts = readonly (readonly [name: string, value: string])[];

/** struct user_regs_struct (sys/user.h). */
const registerNames = (
  'r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss ' +
  'fs_base gs_base ds es fs gs'
).split(' ');

/** Flags that a program sets (asm/processor-flags.h). */
const userFlags = 0x25_0cd5n;
const EINTR = -4n;
/** linux/errno.h: from -ERESTART_RESTARTBLOCK to -ERESTARTSYS. */
const restarts = { first: -516n, last: -512n };
/** poll, nanosleep, futex, clock_nanosleep, restart_syscall: which of them it is may be lost. */
const sleeps = new Set([7n, 35n, 202n, 219n, 230n]);
/** epoll_wait, epoll_pwait: they are made again for the time that is left, milliseconds in r10. */
const limited = new Set([232n, 281n]);

/**
 * Registers. A thread that was interrupted in a call shows by which code it is to go on; the kernel
 * chooses the code, and the call goes on whichever it is.
 */
function registers(bytes: Uint8Array): Parts {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const words = new Map(
    registerNames.map((name, index) => [name, view.getBigUint64(index * 8, true)] as const),
  );
  const rax = BigInt.asIntN(64, words.get('rax') ?? 0n);
  const origRax = words.get('orig_rax') ?? 0n;
  const inCall = BigInt.asIntN(64, origRax) >= 0n;
  const isInterrupted =
    inCall && ((rax >= restarts.first && rax <= restarts.last) || rax === EINTR);
  return [...words].map(([name, word]) => {
    if (name === 'rax' && isInterrupted) return [name, 'interrupted'];
    if (name === 'orig_rax' && isInterrupted && sleeps.has(origRax)) return [name, 'a sleep'];
    if (name === 'r10' && isInterrupted && limited.has(origRax)) {
      return [name, BigInt.asIntN(32, word) > 0n ? 'a time limit' : 'none'];
    }
    if (name === 'orig_rax' && !inCall) return [name, 'none'];
    return [name, (name === 'eflags' ? word & userFlags : word).toString(16)];
  });
}

const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

const sum = (bytes: Uint8Array): string => (isZero(bytes) ? 'initial' : crc32c(bytes).toString(16));

/**
 * State of the FPU and vectors by its components (Intel SDM 1, 13.4). Whether one that holds what
 * it began with is marked as in use, the processor decides.
 */
function xstate(bytes: Uint8Array): Parts {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 576) return [['xstate', `${bytes.length} bytes`]];
  const used = view.getBigUint64(512, true);
  const part = (bit: bigint, start: number, end: number): Uint8Array =>
    (used & bit) === 0n ? new Uint8Array(0) : bytes.subarray(start, end);
  const x87 = part(1n, 0, 24).slice();
  // The control word that a new thread has.
  if (x87.length > 0) x87[0] = (x87[0] ?? 0) ^ 0x7f;
  if (x87.length > 0) x87[1] = (x87[1] ?? 0) ^ 0x03;
  return [
    ['x87', `${sum(x87)} ${sum(part(1n, 32, 160))}`],
    ['mxcsr', view.getUint32(24, true).toString(16)],
    ['sse', sum(part(2n, 160, 416))],
    ['avx', sum(part(4n, 576, 832))],
    ['others', sum(used >> 3n === 0n ? new Uint8Array(0) : bytes.subarray(832))],
  ];
}

/** What is compared of a thread. */
export function normalizeThread(state: ThreadState): Parts {
  const { rseq, robustList } = state;
  const area = [rseq.address, rseq.size, rseq.signature, rseq.flags, rseq.criticalSection];
  return [
    ...registers(state.registers),
    ...xstate(state.xstate),
    ['mask', state.signalMask.toString(16)],
    ['rseq', area.map((word) => word.toString(16)).join(' ')],
    ['robust list', `${robustList.head.toString(16)} ${robustList.length}`],
    ['pending', state.pending.map(hexOf).join(' ')],
  ];
}

import { refuse } from './refuse.ts';
import type { SystemCalls } from './system-call.ts';

export const signalMax = 64;
const SIGKILL = 9;
const SIGSTOP = 19;
/** Bytes of the kernel's sigset_t and struct sigaction. */
const maskSize = 8n;
const actionSize = 32;
/** Nobody blocks these. */
const unblockable = (1n << BigInt(SIGKILL - 1)) | (1n << BigInt(SIGSTOP - 1));
/** Flags of sigaction(2) that user space may set (linux/signal_types.h, UAPI_SA_FLAGS). */
const flagsKnown = 0xdc00_0807n;

const SS_ONSTACK = 1;
const SS_DISABLE = 2;
const SS_AUTODISARM = 0x8000_0000;
const stackMin = 2048n;

/** Dispositions of a process, and what is pending for all of it. */
export class SignalState {
  readonly #actions = new Map<number, Uint8Array>();
  pending: Uint8Array[] = [];

  action(signal: number): Uint8Array {
    return this.#actions.get(signal) ?? new Uint8Array(actionSize);
  }

  set(signal: number, action: Uint8Array): void {
    this.#actions.set(signal, action);
  }

  /** Signals whose handler is a word, one bit each. */
  where(test: (handler: bigint) => boolean): bigint {
    let set = 0n;
    for (const [signal, action] of this.#actions) {
      const view = new DataView(action.buffer, action.byteOffset, action.length);
      if (test(view.getBigUint64(0, true))) set |= 1n << BigInt(signal - 1);
    }
    return set;
  }
}

/** What user space may not set is taken out, as the kernel does. */
function cleaned(action: Uint8Array): Uint8Array {
  const view = new DataView(action.buffer, action.byteOffset, action.length);
  view.setBigUint64(8, view.getBigUint64(8, true) & flagsKnown, true);
  view.setBigUint64(24, view.getBigUint64(24, true) & ~unblockable, true);
  return action;
}

/** struct sigaltstack. */
export interface AltStack {
  readonly address: bigint;
  readonly flags: number;
  readonly size: bigint;
}

export const noAltStack: AltStack = { address: 0n, flags: SS_DISABLE, size: 0n };

/** Signals of a set that a mask may have. */
export const blockable = (mask: bigint): bigint => BigInt.asUintN(64, mask) & ~unblockable;

export const signalCalls: SystemCalls = {
  rt_sigaction: ({ process }, args) => {
    const signal = args.int(0);
    if (args.word(3) !== maskSize) refuse('EINVAL', 'the size of a signal set');
    const isFixed = signal === SIGKILL || signal === SIGSTOP;
    if (signal < 1 || signal > signalMax || (isFixed && args.word(1) !== 0n)) {
      refuse('EINVAL', `action of signal ${signal}`);
    }
    const before = process.signals.action(signal);
    const next = args.word(1) === 0n ? undefined : process.user.read(args.word(1), actionSize);
    if (args.word(2) !== 0n) process.user.write(args.word(2), before);
    if (next !== undefined) process.signals.set(signal, cleaned(next));
    return 0;
  },
  rt_sigprocmask: ({ process, thread }, args) => {
    if (args.word(3) !== maskSize) refuse('EINVAL', 'the size of a signal set');
    const before = thread.mask;
    if (args.word(1) !== 0n) {
      const set = process.user.view(args.word(1), 8).getBigUint64(0, true);
      const masks = [before | set, before & ~set, set];
      thread.mask = blockable(masks[args.int(0)] ?? refuse('EINVAL', 'how to set a mask'));
    }
    if (args.word(2) !== 0n) {
      process.user.put(args.word(2), 8, (view) => {
        view.setBigUint64(0, before, true);
      });
    }
    return 0;
  },
  sigaltstack: ({ process, thread }, args) => {
    const before = thread.altStack;
    const { stackPointer } = thread;
    const isOn =
      before.size > 0n &&
      stackPointer > before.address &&
      stackPointer - before.address <= before.size;
    if (args.word(0) !== 0n) {
      const view = process.user.view(args.word(0), 24);
      const flags = view.getUint32(8, true);
      const mode = (flags & ~SS_AUTODISARM) >>> 0;
      if (isOn && (before.flags & SS_AUTODISARM) === 0) refuse('EPERM', 'the thread is on it');
      if (![0, SS_ONSTACK, SS_DISABLE].includes(mode)) refuse('EINVAL', `flags ${flags}`);
      const size = view.getBigUint64(16, true);
      if (mode !== SS_DISABLE && size < stackMin) refuse('ENOMEM', 'too small a stack');
      thread.altStack =
        mode === SS_DISABLE
          ? { ...noAltStack, flags }
          : { address: view.getBigUint64(0, true), flags, size };
    }
    if (args.word(1) !== 0n) {
      const kept = (before.flags & SS_AUTODISARM) >>> 0;
      const state = before.size === 0n ? SS_DISABLE : isOn ? SS_ONSTACK : 0;
      process.user.put(args.word(1), 24, (view) => {
        view.setBigUint64(0, before.address, true);
        view.setUint32(8, (kept | state) >>> 0, true);
        view.setBigUint64(16, before.size, true);
      });
    }
    return 0;
  },
};

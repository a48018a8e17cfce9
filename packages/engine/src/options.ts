import { CkptError } from '@ckpt/format';
import type { LogStreamOptions } from '@ckpt/log';

/** What goes on, for whoever waits. */
export interface Progress {
  readonly phase: 'freeze' | 'collect' | 'write' | 'read' | 'run';
  /** Bytes written or read so far, and of all; 0 where a phase has none. */
  readonly done: number;
  readonly total: number;
}

export interface EngineOptions {
  /** Of images to be written: 3 is the base, 100 (the default) a whole process. */
  readonly revision?: 3 | 100;
  /** Kernel version that a revision 3 image must have; unchecked without it. */
  readonly kernel?: readonly [major: number, minor: number, patch: number];
  /** The process dies after its checkpoint, without having run on. Not with revision 3. */
  readonly kill?: boolean;
  /**
   * Proves that the image could be restarted here, on this machine as it is, before it is whole and
   * before the process dies; else it goes on, and the error is that of the restart. Not with
   * revision 3.
   */
  readonly verify?: boolean;
  /** Makes the image durable (fsync, rename); the process is killed only after it has returned. */
  readonly durable?: () => void;
  /** Longest time a process may be frozen, milliseconds; then ETIMEDOUT. 30 s unless told. */
  readonly deadlineMs?: number;
  /** Called right after the freeze; `leftMs` tells how long writers may still wait. */
  readonly onFreeze?: (leftMs: () => number) => void;
  readonly progress?: (progress: Progress) => void;
  /** What the user set for kinds of resource; keys are the command's option names. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Debug classes to print (CKPT_DBASE ...); all unless told. */
  readonly debugLevel?: number;
  /** Where debug lines go; nowhere unless told. */
  readonly debug?: (line: string) => void;
  /** Is told what could not be put into the image or the log. */
  readonly notice?: (line: string) => void;
  /** 16 random bytes for an image's identity. Taken from Web Crypto unless told. */
  readonly random?: () => Uint8Array;
  /** Checkpoint ids given so far; the next one is one more. */
  readonly crid?: number;
}

/** Milliseconds. Long enough for a slow disk, short enough that a stalled pipe is noticed. */
const deadlineDefaultMs = 30_000;

/** Options with all that was not told. */
export interface Settled {
  readonly revision: 3 | 100;
  readonly kernel: EngineOptions['kernel'];
  readonly kill: boolean;
  readonly verify: boolean;
  readonly durable: () => void;
  readonly deadlineMs: number;
  readonly onFreeze: (leftMs: () => number) => void;
  readonly progress: (progress: Progress) => void;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly random: () => Uint8Array;
  readonly log: Pick<LogStreamOptions, 'debug' | 'notice'>;
}

/** A random UUID, version 4 (RFC 9562). */
function randomUuid(): Uint8Array {
  // The libraries that this compiles against have no Web Crypto, all that it runs on do.
  const { crypto } = globalThis as {
    readonly crypto?: { getRandomValues(into: Uint8Array): Uint8Array };
  };
  if (crypto === undefined) throw new CkptError('ENOSYS', 'no source of random numbers');
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes;
}

const nothing = (): void => undefined;

export function settle(options: EngineOptions): Settled {
  const { debug, debugLevel, notice } = options;
  const level = debugLevel === undefined ? {} : { level: debugLevel };
  return {
    revision: options.revision ?? 100,
    kernel: options.kernel,
    kill: options.kill ?? false,
    verify: options.verify ?? false,
    durable: options.durable ?? nothing,
    deadlineMs: options.deadlineMs ?? deadlineDefaultMs,
    onFreeze: options.onFreeze ?? nothing,
    progress: options.progress ?? nothing,
    settings: options.settings ?? {},
    random: options.random ?? randomUuid,
    log: { notice, debug: debug && { print: debug, ...level } },
  };
}

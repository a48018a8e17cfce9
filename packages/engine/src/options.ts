/** What goes on, for whoever waits. */
export interface Progress {
  readonly phase: 'freeze' | 'collect' | 'write' | 'read' | 'plan' | 'run';
  /** Bytes written or read so far, and of all; 0 where the phase has no bytes. */
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
  /** Makes the image durable (fsync, rename); the process is killed only after it has returned. */
  readonly durable?: () => void;
  /** Longest time a process may be frozen, milliseconds; then ETIMEDOUT. 30 s unless told. */
  readonly deadlineMs?: number;
  /** Called right after the freeze; `leftMs` tells how long writers may still wait. */
  readonly onFreeze?: (leftMs: () => number) => void;
  readonly progress?: (progress: Progress) => void;
  /** What the user set for kinds of resource; keys are the command's option names. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Debug classes to print (CKPT_DBASE ...); none unless told. */
  readonly debugLevel?: number;
  /** Where debug lines go. */
  readonly debug?: (line: string) => void;
  /** 16 random bytes for an image's identity. Taken from Web Crypto unless told. */
  readonly random?: () => Uint8Array;
  /** Checkpoint ids given so far; the next one is one more. */
  readonly crid?: number;
}

/** Milliseconds. Long enough for a slow disk, short enough that a stalled pipe is noticed. */
export const deadlineDefaultMs = 30_000;

import type { CkptFile } from '@ckpt/io';
import type { Running } from './host.ts';
import type { Plan } from './plan.ts';
import type { Obstacle } from './resource.ts';

/** A checkpoint that was made. */
export interface Checkpointed {
  /** Checkpoint id, 1 and up: counts the successful checkpoints of an engine. */
  readonly crid: number;
  readonly revision: 3 | 100;
  readonly pid: number;
  /** Bytes of the image, and pages in its store. */
  readonly length: number;
  readonly pages: number;
  /** How long the process stood still, milliseconds. */
  readonly frozenMs: number;
  /** What the image leaves out or takes from whoever restarts it, as sentences. */
  readonly notes: readonly string[];
}

/** An image that passed every check that can be made without restarting it. */
export interface Verified {
  readonly revision: 3 | 100;
  /** Bytes of the image; what follows in the file was not looked at. */
  readonly length: number;
  readonly pages: number;
  readonly notes: readonly string[];
}

/** An image that runs again. */
export interface Restarted {
  /** What restart(2) of Linux-CR returns. */
  readonly status: 0;
  readonly revision: 3 | 100;
  readonly plan: Plan;
  readonly running: Running;
}

/** Checkpoint and restart on one host. Every failure is logged once, and thrown as CkptError. */
export interface Engine {
  /**
   * Writes an image of the process to the file, at its position.
   * @throws CkptError EINVAL for flags, which must be 0, or when image and log are one file; EBADF
   * for what is no file or cannot be written; ESRCH, EPERM, ETIMEDOUT as the host says;
   * EOPNOTSUPP with `obstacles` (`ObstacleError`) for what cannot be carried; as write(2).
   */
  checkpoint(pid: number, file: CkptFile, flags?: number, logFile?: CkptFile): Checkpointed;
  /**
   * Restarts the image at the file's position: all of it, or nothing. `pid` is unused, as it was.
   * @throws CkptError EINVAL, EBADF as above; EPIPE, EIO, EINVAL, ENOSYS for a bad image; EEXIST
   * when its pids are in use; whatever a step of the plan failed with.
   */
  restart(pid: number, file: CkptFile, flags?: number, logFile?: CkptFile): Restarted;
  /** The checkpoint system call: a positive crid, or a negative errno. Throws nothing. */
  doSysCheckpoint(pid: number, file: CkptFile, flags: number, logFile?: CkptFile): number;
  /** The restart system call: 0, or a negative errno. */
  doSysRestart(pid: number, file: CkptFile, flags: number, logFile?: CkptFile): number;
  /** All checks of a restart, on this machine, without making anything. @throws CkptError */
  verify(file: CkptFile, logFile?: CkptFile): Verified;
  /** What a restart would do. Reads the metadata alone. @throws CkptError */
  plan(file: CkptFile, logFile?: CkptFile): Plan;
  /** What keeps a process from being checkpointed: all of it. It is frozen for a moment. */
  check(pid: number): {
    readonly obstacles: readonly Obstacle[];
    readonly notes: readonly string[];
  };
}

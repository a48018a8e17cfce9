import type { CkptFile } from '@ckpt/io';
import type { FileStat } from './file-stat.ts';
import type { Frozen } from './frozen.ts';
import type { Plan } from './plan.ts';
import type { Resource } from './resource.ts';
import type { System } from './system.ts';

/** A restarted tree. */
export interface Running {
  readonly pid: number;
  /** Things that could not be had, as sentences. */
  readonly warnings: readonly string[];
  /** Waits for the end without blocking the event loop; the status as waitpid(2) gives it. */
  wait(): Promise<number>;
}

/**
 * The stored pages of an image, in their order. The stream behind it is never sought: who reads
 * payload from the file by other means (the restarted task, through its own descriptor) says so
 * with `taken`.
 */
export interface PageReader {
  /** Index of the next page, counted from the start of the store. */
  readonly index: number;
  /** Byte offset of the next page in the stream, if `ready` has just said more than 0. */
  readonly position: number;
  /** How many pages now stand in a row at the file's position; 0 when all have been read. @throws CkptError */
  ready(): number;
  /** Reads the next pages: `into` is a whole number of pages. @throws CkptError EPIPE, EINVAL. */
  read(into: Uint8Array): void;
  /** So many pages, at most what `ready` said, were read from the file by somebody else. */
  taken(pages: number): void;
  /** Passes over pages in bounded memory. @throws CkptError as read. */
  skip(pages: number): void;
  /**
   * Passes over what is left, and checks that the image is whole.
   * @throws CkptError EPIPE when it ends early; EIO when its writer failed; EINVAL without a TAIL.
   */
  finish(): void;
}

/** A machine on which processes are checkpointed and restarted. */
export interface Host {
  system(): System;
  /** Pid of the caller, which pid 0 stands for. */
  readonly self?: number;
  /**
   * Stops a process with all its threads.
   * @param dies It will be killed when its image is safe, without having run on.
   * @throws CkptError ESRCH no such pid; EPERM with the tracer's name when traced; ETIMEDOUT.
   */
  freeze(pid: number, deadlineMs: number, dies?: boolean): Frozen;
  /** Pid of the process that a thread belongs to; undefined where there is no such thread. */
  leaderOf?(tid: number): number | undefined;
  /**
   * Freezes a process that was made for it, and ends it after `use`. Code is slow when it runs for
   * the first time: it had better not do so while a process that somebody needs stands still.
   */
  rehearse?(use: (frozen: Frozen) => void): void;
  /**
   * Runs a whole plan, or nothing of it. The image stands at its first PAGES (or PAD) record; `pages`
   * walks it, and its `finish` is to be called before any thread resumes.
   */
  run(plan: Plan, image: CkptFile, pages: PageReader): Running;
  /**
   * Everything about `run` that can be known before: the plan's form, the right to choose ids.
   * @throws CkptError as `run` would.
   */
  prove?(plan: Plan): void;
  /** stat of a path as a restart would find it; undefined when it is not there. Used to check plans. */
  stat(path: string): FileStat | undefined;
  /** When the process of that pid was started, clock ticks after boot; undefined: there is none. */
  startTime?(pid: number): bigint | undefined;
  /**
   * Bytes of a regular file from an offset, as many as there are; undefined when it cannot be read.
   * Used to check plans; without it files are known by size and time alone.
   */
  contents?(path: string, offset: bigint, length: number): Uint8Array | undefined;
  /** Who has this pid (or tid, session, group) now: "1234 (node)"; undefined when it is free. */
  holder(pid: number): string | undefined;
  /** The same of many at once, where that is cheaper; those that are free are not in the answer. */
  holders?(pids: readonly number[]): ReadonlyMap<number, string>;
  /** The kinds of kernel resource this host knows, in the order of the image. */
  readonly resources: readonly Resource[];
}

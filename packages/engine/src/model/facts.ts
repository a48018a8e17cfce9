import type { ErrnoName } from '@ckpt/format';
import { hexOf } from './hex.ts';
import type { Answer, Argument, Call } from '../call.ts';
import type { FileExtents, FileHandle, FileStat } from '../file-stat.ts';
import type { Holding, PageRun, ThreadState } from '../frozen.ts';
import type { System } from '../system.ts';

/** Bytes that stood at an address. */
export interface MemoryFact {
  readonly address: bigint;
  readonly bytes: Uint8Array;
}

/** Pages of memory that were copied: a 32-bit word for each, which stands for its content. */
interface PageFact {
  readonly address: bigint;
  /** Little endian; see page-digest.ts. */
  readonly digests: Uint8Array;
}

/** A range of addresses that was scanned for pages. */
export interface ScanFact {
  readonly start: bigint;
  readonly end: bigint;
  readonly runs: readonly PageRun[];
}

/** A part of a file that was read. */
export interface ContentFact {
  readonly path: string;
  readonly offset: bigint;
  readonly bytes: Uint8Array;
}

/** What a call failed with. */
export interface FailureFact {
  readonly code: ErrnoName;
  readonly sentence: string;
}

/** Facts by a key. A value of undefined is an answer: it was not there. */
export type Facts<T> = Readonly<Record<string, T>>;

/**
 * All that a frozen process of one task told while it was checkpointed. Plain data: `stringifyFacts`
 * writes it as JSON, `MemoryHost` replays it.
 */
export interface RecordedFacts {
  readonly system: System;
  readonly task: {
    readonly pid: number;
    readonly startTime: bigint;
    readonly stopped: boolean;
    /** The leader first. */
    readonly tids: readonly number[];
  };
  /** By path under /proc/PID. */
  readonly read: Facts<Uint8Array | undefined>;
  readonly list: Facts<readonly string[]>;
  readonly link: Facts<string | undefined>;
  readonly stat: Facts<FileStat | undefined>;
  /** By tid. */
  readonly threads: Facts<ThreadState>;
  readonly pendingShared: readonly Uint8Array[];
  /** By tid and {@link callKey}. */
  readonly ask: Facts<Answer>;
  /** By descriptor and {@link callKey}. */
  readonly probe: Facts<Answer>;
  /** By descriptor: descriptors with the same word lead to the same open file description. */
  readonly descriptions: Facts<number>;
  /** By tid: what the thread has for itself. */
  readonly unshared: Facts<readonly ('files' | 'fs')[]>;
  /** By "fd epoll target index". */
  readonly watches: Facts<boolean>;
  /** By descriptor: what was unread in its pipe. */
  readonly pipes: Facts<Uint8Array>;
  /** By descriptor: revents. */
  readonly polls: Facts<number>;
  /** By link. */
  readonly holders: Facts<readonly string[]>;
  /** By link. */
  readonly holdings: Facts<readonly Holding[]>;
  /** By {@link handleKey}: the path. */
  readonly handles: Facts<string | undefined>;
  /** By inode. */
  readonly peers: Facts<bigint | undefined>;
  /** By path under /proc/PID: seals and holes of files. */
  readonly extents: Facts<FileExtents>;
  readonly scans: readonly ScanFact[];
  readonly pages: readonly PageFact[];
  readonly memory: readonly MemoryFact[];
  readonly contents: readonly ContentFact[];
  /** What failed, by method and key: "memory 1000 16". */
  readonly failures: Facts<FailureFact>;
  /** Files of the machine by their paths, as a restart finds them. */
  readonly files: Facts<FileStat | undefined>;
}

function argumentKey(argument: Argument): string {
  if (typeof argument !== 'object') return argument.toString();
  if ('out' in argument) return `{${argument.out}}`;
  const bytes = 'in' in argument ? argument.in : argument.inout;
  const hex = hexOf(bytes);
  return 'in' in argument ? `<${hex}` : `<>${hex}`;
}

/** A call as a key: "prctl(40,{8},0,0,0)". */
export function callKey({ call, args }: Call): string {
  return `${call}(${args.map(argumentKey).join(',')})`;
}

/** Key of what was asked of a thread, or tried on a descriptor. */
export const askKey = (of: number, call: Call): string => `${of} ${callKey(call)}`;

/** Key of what was asked of a connection in repair mode: the same call may come more than once. */
export const repairKey = (fd: number, index: number, call: Call): string =>
  `${fd} repair ${index} ${callKey(call)}`;

export const watchKey = (fd: number, epoll: number, target: number, index: number): string =>
  `${fd} ${epoll} ${target} ${index}`;

export const handleKey = ({ major, minor, inode, type, bytes }: FileHandle): string =>
  `${major}:${minor} ${inode.toString()} ${type} ${hexOf(bytes)}`;

export const rangeKey = (address: bigint, length: number): string =>
  `${address.toString(16)} ${length}`;

import type { CkptError, RecordType, Struct } from '@ckpt/format';
import type { Answer, Call } from './call.ts';
import type { FileStat } from './file-stat.ts';
import type { Frozen, Task, Thread } from './frozen.ts';
import type { System } from './system.ts';
import type { CallStep, Step, Value } from './plan.ts';

/** What keeps a process from being checkpointed, and what to do about it. */
export interface Obstacle {
  /** "descriptor 5: socket:[123]" */
  readonly thing: string;
  readonly reason: string;
  /** A command that would work, or a sentence. */
  readonly remedy: string;
}

/** Where the bytes of stored pages come from. */
export type StoreSource =
  | { readonly memory: bigint; readonly task: Task }
  /** /proc/PID/`path` (a deleted file), from an offset. */
  | {
      readonly contents: string;
      readonly task: Task;
      readonly offset: bigint;
      readonly size: number;
    }
  | { readonly bytes: Uint8Array };

/** Numbers the pages of the image in the order in which they are added. */
export interface Store {
  /** Adds pages (the last one padded with zeros); returns the index of the first. */
  add(source: StoreSource, pages: number): number;
  readonly pages: number;
}

/** Objects met, so that each is written once. Numbers from 1 on. */
export interface Objhash {
  /** The object's number and whether it is new; a new one must be emitted at once. */
  of(kind: string, key: string): { readonly objref: number; readonly isNew: boolean };
}

export interface CheckpointScope {
  readonly frozen: Frozen;
  readonly system: System;
  readonly task: Task;
  readonly objhash: Objhash;
  readonly store: Store;
  /** Paths, sizes: whatever the user set; keys are the command's option names. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Answers to this kind's own calls, in the order of `asks`. */
  readonly answers: (thread?: Thread) => readonly Answer[];
  /** One more record of the image's metadata. */
  readonly emit: <T>(type: RecordType<T>, value: T) => void;
  /** Bytes behind a record: type BUFFER, STRING (no NUL), or a raw payload type such as CPU_FPU. */
  readonly emitBytes: (type: number, bytes: Uint8Array) => void;
  /** ARRAY { count, element size } and the elements. */
  readonly emitArray: <T>(element: Struct<T>, values: readonly T[]) => void;
  /** Collected; all of them are told at once, before harm is done. */
  readonly refuse: (obstacle: Obstacle) => void;
  /** Told to the user, and the checkpoint goes on. */
  readonly note: (sentence: string) => void;
}

/** A record of the image's metadata, read and checked for its form. */
export interface ImageRecord<T = unknown> {
  readonly type: number;
  readonly position: number;
  readonly value: T;
  /** Whole record bytes, header included. */
  readonly bytes: Uint8Array;
  /** Records that belong to this one follow it: ARRAY, STRING, BUFFER, raw payloads. */
  readonly following: readonly ImageRecord[];
  /** EINVAL (or another errno) at this record, with field and sentence. */
  invalid(field: string, sentence: string, errno?: string): CkptError;
  /** Payload of the nth following record of a type. @throws CkptError EINVAL when it is not there. */
  bytesOf(type: number, nth?: number): Uint8Array;
  /** Elements of the nth following ARRAY. @throws CkptError EINVAL on a wrong element size. */
  arrayOf<E>(element: Struct<E>, nth?: number): readonly E[];
}

/** All metadata of an image, in memory: a few kilobytes. */
export interface Document {
  all<T>(type: RecordType<T>): readonly ImageRecord<T>[];
  /** The only one. @throws CkptError EINVAL when there is none or more than one. */
  one<T>(type: RecordType<T>): ImageRecord<T>;
  /** The object of that number. @throws CkptError EINVAL when none, or another type. */
  object<T>(objref: number, type: RecordType<T>, from: ImageRecord): ImageRecord<T>;
}

/** Steps are run in this order of sections, and within a section as planned. */
export const sections = [
  'rights', // fsuid, fsgid, groups of the restored task: paths are opened with them
  'check', // paths are looked at, nothing is changed
  'wipe',
  'maps', // the address space
  'load', // stored pages
  'protect', // final protections and advice
  'mm', // brk, args, exe link
  'descriptors',
  'settle', // what needs all descriptors: epoll items, offsets
  'process', // cwd, umask, session, sigactions, timers
  'threads',
  'thread', // per-thread state
  'connections', // what the other ends of connections notice
  'credentials',
  'last', // dumpable, no_new_privs, seccomp
] as const;

export type Section = (typeof sections)[number];

export interface RestoreScope {
  readonly document: Document;
  readonly system: System;
  /** tid of the leader. */
  readonly pid: number;
  readonly options: Readonly<Record<string, unknown>>;
  /** stat of a path on this machine; undefined when it is not there. */
  readonly stat: (path: string) => FileStat | undefined;
  /** Bytes of a regular file on this machine; undefined when it cannot be read. */
  readonly contents?:
    ((path: string, offset: bigint, length: number) => Uint8Array | undefined) | undefined;
  /** When the process of a pid on this machine was started; undefined: there is none. */
  readonly startTime: (pid: number) => bigint | undefined;
  /** Appends a call; returns a Value that stands for its result. */
  readonly call: (
    section: Section,
    from: ImageRecord,
    call: string,
    args: readonly Value[],
    options?: {
      readonly on?: number;
      readonly what?: string;
      readonly failure?: 'fatal' | 'warn';
      readonly expect?: number | bigint;
      readonly expectRoom?: CallStep['expectRoom'];
    },
  ) => { readonly result: string };
  /** Appends any other step; the id is given. */
  readonly step: (section: Section, step: DistributiveOmit<Step, 'id'>) => void;
  /** A name for room or words that no other step uses. */
  readonly fresh: (prefix: string) => string;
  readonly note: (sentence: string) => void;
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/**
 * One kind of kernel resource: facts to records, and records to plan steps, side by side.
 */
export interface Resource {
  /** "memory", "eventfd": also the heading under which `check` and `inspect` show it. */
  readonly kind: string;
  /** Record types this kind writes; an image with a record that no kind claims is refused. */
  readonly records: readonly { readonly type: number }[];
  /** Remote calls for the leader, known before anything was read. */
  readonly asksTask?: readonly Call[];
  /** Remote calls for every thread, the leader included. */
  readonly asksThread?: readonly Call[];
  /** Facts to records. Kinds run in the order of the list. */
  checkpoint(scope: CheckpointScope): void;
  /** Records to steps. Calls nothing, trusts no number of the image. */
  restore(scope: RestoreScope): void;
}

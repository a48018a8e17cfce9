import type {
  CheckpointScope,
  FileStat,
  ImageRecord,
  Obstacle,
  RestoreScope,
  Value,
} from '@ckpt/engine';
import type { File } from '@ckpt/format';
import type { FdInfo } from '../procfs/fdinfo.ts';

/** A number in the table, and what belongs to it alone. */
export interface Descriptor {
  readonly fd: number;
  readonly closeOnExec: boolean;
}

/** An open file description of the frozen task: what dup(2) shares. */
export interface Description {
  /** The lowest of its descriptors: what /proc/PID is asked about. */
  readonly fd: number;
  /** Ascending by number; at least one. */
  readonly descriptors: readonly Descriptor[];
  /** Target of /proc/PID/fd/N: "/tmp/log", "pipe:[15351]", "anon_inode:[eventfd]". */
  readonly link: string;
  readonly info: FdInfo;
}

/** All descriptions of a task, ascending by their lowest descriptor. */
export interface Table {
  readonly descriptions: readonly Description[];
  /** What a descriptor leads to. */
  at(fd: number): Description | undefined;
  /** Descriptions with the same link: those of one pipe. */
  linked(link: string): readonly Description[];
  /** True when the task has the file open for writing, here or elsewhere. */
  isWritten(description: Description): boolean;
  /** objref of its FILE, emitted if it was not yet; undefined when it was refused. */
  file(description: Description): number | undefined;
}

/** What a description leads to, in the words of FILE. */
interface Opened {
  /** objref of PATH, PIPE, SOCKET ... */
  readonly object: number;
  /** File offset, bytes; 0 unless told. */
  readonly position?: bigint;
  /** Of a pipe: 1 writes. */
  readonly end?: number;
  /** Only the invoker of the checkpoint could open it; false unless told. */
  readonly trusted?: boolean;
}

/** Puts a description where it belongs, and closes `fd`: one number that an earlier step opened. */
type Place = (file: ImageRecord<File>, fd: Value) => void;

/** What restoring descriptors needs beside the plan. */
export interface Restoring {
  readonly scope: RestoreScope;
  readonly place: Place;
  /** A number above all of the image that no other open descriptor has; close what is there. */
  readonly scratch: (index: number) => number;
  /** Lowest number that leads to a FILE once all are placed; undefined when none does. */
  readonly fdOf: (file: ImageRecord<File>) => number | undefined;
  /**
   * Plans contents from the store when all that was begun before is placed: one after the other,
   * they take few stops. They are planned in the order of the store.
   */
  readonly fillLater: (plan: () => void) => void;
  /** Plans what waits to be filled: call it before planning another load. */
  readonly fillNow: () => void;
  /** What a number leads to once all are placed. */
  readonly at: (
    fd: number,
  ) => { readonly file: ImageRecord<File>; readonly closeOnExec: boolean } | undefined;
}

/** One kind of thing that a descriptor may lead to. */
export interface DescriptorKind {
  /** As in `fileKinds`. */
  readonly name: string;
  /** Number in FILE. */
  readonly kind: number;
  /** Records it writes beside FILE. */
  readonly records: readonly { readonly type: number }[];
  claims(scope: CheckpointScope, description: Description): boolean;
  /** Emits what it leads to; undefined when it was refused. */
  checkpoint(scope: CheckpointScope, description: Description, table: Table): Opened | undefined;
  /** Plans what must be there before anything is mapped or opened; called once. */
  prepare?(restoring: Restoring): void;
  /** Plans to open the descriptions that lead to one object, and to place each of them. */
  restore(restoring: Restoring, files: readonly ImageRecord<File>[]): void;
  /** What needs all descriptors in their places; called once for each object. */
  settle?(restoring: Restoring, files: readonly ImageRecord<File>[]): void;
}

const stats = new WeakMap<Description, { readonly stat: FileStat | undefined }>();

/** stat(2) of what a description leads to; asked once. */
export function statOf(scope: CheckpointScope, description: Description): FileStat | undefined {
  const known = stats.get(description) ?? {
    stat: scope.frozen.stat(scope.task, `fd/${description.fd}`),
  };
  stats.set(description, known);
  return known.stat;
}

/** "descriptor 5: pipe:[15351]" */
export function thingOf({ descriptors, link }: Pick<Description, 'descriptors' | 'link'>): string {
  const numbers = descriptors.slice(0, 4).map(({ fd }) => String(fd));
  const more = descriptors.length > numbers.length ? ', ...' : '';
  const word = descriptors.length === 1 ? 'descriptor' : 'descriptors';
  return `${word} ${numbers.join(', ')}${more}: ${link}`;
}

/** Refuses a description; `detail` follows its link. */
export function refuse(
  scope: CheckpointScope,
  description: Description,
  { reason, remedy, detail }: Omit<Obstacle, 'thing'> & { readonly detail?: string },
): undefined {
  const thing = thingOf(description) + (detail === undefined ? '' : `, ${detail}`);
  scope.refuse({ thing, reason, remedy });
  return undefined;
}

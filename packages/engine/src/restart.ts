import { CkptError } from '@ckpt/format';
import type { Stream } from '@ckpt/io';
import { readBaseImage } from './base-image.ts';
import { planBase } from './base-plan.ts';
import type { FileStat } from './file-stat.ts';
import type { Host, PageReader } from './host.ts';
import type { System } from './system.ts';
import { readOpening, type KernelVersion, type Revision } from './image-opening.ts';
import { readMetadata, type Metadata } from './image-reader.ts';
import { createPageReader } from './page-reader.ts';
import type { Plan } from './plan.ts';
import { planProcess } from './process-plan.ts';
import type { Resource, RestoreScope } from './resource.ts';

/** What images are read and planned for. */
export interface ReadGround {
  readonly kernel: KernelVersion | undefined;
  readonly options: Readonly<Record<string, unknown>>;
  /** Is told how many bytes of pages were read, and of how many. */
  readonly progress: (done: number, total: number) => void;
  /** Absent where an image is only read: no plan is made, all known records are taken. */
  readonly machine?: {
    readonly system: System;
    readonly resources: readonly Resource[];
    readonly stat: (path: string) => FileStat | undefined;
    readonly contents?: RestoreScope['contents'];
    readonly startTime: (pid: number) => bigint | undefined;
  };
}

/** An image that was read as far as a plan needs it. */
export interface ReadImage {
  readonly revision: Revision;
  readonly plan: Plan | undefined;
  /** Pages in the store. */
  readonly pages: number;
  /** What is left to read. */
  readonly reader: PageReader;
}

/** Of an image that has no store and is read to its end. */
const noPages: PageReader = {
  index: 0,
  position: 0,
  ready: () => 0,
  read: (into) => {
    if (into.length > 0) throw new Error('the image has no pages');
  },
  taken: (pages) => {
    if (pages > 0) throw new Error('the image has no pages');
  },
  skip: (pages) => {
    if (pages > 0) throw new Error('the image has no pages');
  },
  finish: () => undefined,
};

function readProcess(
  stream: Stream,
  metadata: Metadata,
  ground: ReadGround,
  start: number,
): ReadImage {
  const { machine, options, progress } = ground;
  const { pages, identity } = metadata;
  const pageSize = identity.page_size;
  const passed = (done: number): void => {
    progress(done * pageSize, pages * pageSize);
  };
  const plan = machine === undefined ? undefined : planProcess(metadata, { ...machine, options });
  const layout = { pages, pageSize, start, passed };
  return { revision: 100, plan, pages, reader: createPageReader(stream, layout) };
}

/**
 * Reads an image of either revision at the file's position, and plans its restart: one of revision
 * 3 to its end, one of revision 100 up to its pages.
 * @throws CkptError for whatever is wrong with it, or cannot be restored here.
 */
export function readImage(stream: Stream, ground: ReadGround): ReadImage {
  const start = stream.total;
  const opening = readOpening(stream, ground.kernel);
  if (opening.revision === 100) {
    const claims = ground.machine?.resources.flatMap(({ records }) => records);
    return readProcess(stream, readMetadata(stream, opening, claims), ground, start);
  }
  const task = readBaseImage(stream, opening);
  const { machine } = ground;
  const plan =
    machine === undefined ? undefined : planBase(task, { system: machine.system, opening, start });
  return { revision: 3, plan, pages: 0, reader: noPages };
}

/** @throws CkptError EEXIST when somebody has an id that the plan needs. */
export function checkFree(plan: Plan, host: Pick<Host, 'holder' | 'holders'>): void {
  const spawns = plan.steps.flatMap((step) =>
    step.op === 'spawn' && step.pid !== 0 ? [step] : [],
  );
  const all = host.holders?.(spawns.map(({ pid }) => pid));
  for (const { kind, pid, from } of spawns) {
    const holder = all === undefined ? host.holder(pid) : all.get(pid);
    if (holder === undefined) continue;
    const what = kind === 'process' ? 'pid' : 'thread id';
    throw new CkptError(
      'EEXIST',
      `${what} ${pid} is in use by ${holder}: end that first, or restart in a pid namespace of its own`,
      { position: from.position, path: [from.path], field: 'tid' },
    );
  }
}

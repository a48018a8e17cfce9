import { CkptError, CKPT_HDR_CPU_FPU, type RecordType, type Struct } from '@ckpt/format';
import { askAll, type Answers } from './answers.ts';
import type { Frozen, Task } from './frozen.ts';
import type { System } from './system.ts';
import { limits } from './limits.ts';
import { createObjhash } from './objhash.ts';
import { arrayRecord, headerSize, rawRecord, RecordWriter } from './record-writer.ts';
import { recordName } from './record-types.ts';
import type { CheckpointScope, Obstacle, Resource } from './resource.ts';
import { PageStore } from './store.ts';

/** What the kinds of resource made of a frozen task. */
export interface Collected {
  readonly records: RecordWriter;
  readonly store: PageStore;
  /** What cannot be carried: nothing is written when there is any. */
  readonly obstacles: readonly Obstacle[];
  readonly notes: readonly string[];
  /** XSTATE_BV of all threads: what a processor must have. */
  readonly xfeatures: bigint;
}

export interface CollectGround {
  readonly frozen: Frozen;
  readonly system: System;
  readonly task: Task;
  readonly resources: readonly Resource[];
  readonly options: Readonly<Record<string, unknown>>;
}

/** XSTATE_BV stands behind the 512 bytes of FXSAVE (Intel SDM 1, 13.4.2). */
function xfeaturesOf(records: Iterable<Uint8Array>): bigint {
  const offset = headerSize + 512;
  let all = 0n;
  for (const bytes of records) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    if (view.getUint32(0, true) !== CKPT_HDR_CPU_FPU || bytes.length < offset + 8) continue;
    all |= view.getBigUint64(offset, true);
  }
  return all;
}

/** Emits what the kinds claim, and nothing else. */
class Scopes {
  readonly records = new RecordWriter(limits.metadata / 2);
  readonly store: PageStore;
  readonly obstacles: Obstacle[] = [];
  readonly notes: string[] = [];
  readonly #ground: CollectGround;
  readonly #answers: Answers;
  readonly #objhash = createObjhash();

  constructor(ground: CollectGround, answers: Answers) {
    this.#ground = ground;
    this.#answers = answers;
    this.store = new PageStore(ground.system.pageSize);
  }

  of({ kind }: Resource): CheckpointScope {
    const { frozen, system, task, options, resources } = this.#ground;
    // A kind may write another one's objects: whatever opens a file writes its PATH.
    const claimed = new Set(resources.flatMap(({ records }) => records.map(({ type }) => type)));
    return {
      ...{ frozen, system, task, options, objhash: this.#objhash, store: this.store },
      answers: (thread) => this.#answers.of(kind, thread),
      emit: <T>(type: RecordType<T>, value: T) => {
        if (!claimed.has(type.type)) {
          throw new Error(`kind ${kind} writes ${recordName(type.type)}, which no kind claims`);
        }
        this.records.emit(type, value);
      },
      emitBytes: (type, bytes) => {
        this.records.add(rawRecord(type, bytes));
      },
      emitArray: <T>(element: Struct<T>, values: readonly T[]) => {
        this.records.add(arrayRecord(element, values));
      },
      refuse: (obstacle) => {
        this.obstacles.push(obstacle);
      },
      note: (sentence) => {
        this.notes.push(sentence);
      },
    };
  }
}

/**
 * Asks the task, then lets each kind make its records, in the order of the list. All kinds have
 * their say about obstacles.
 * @throws CkptError when a fact cannot be read.
 */
export function collect(ground: CollectGround): Collected {
  const { frozen, task, resources } = ground;
  const scopes = new Scopes(ground, askAll(frozen, task, resources));
  for (const resource of resources) {
    try {
      resource.checkpoint(scopes.of(resource));
    } catch (error) {
      throw error instanceof CkptError ? error.within(resource.kind) : error;
    }
  }
  const { records, store, obstacles, notes } = scopes;
  return { records, store, obstacles, notes, xfeatures: xfeaturesOf(records.records()) };
}

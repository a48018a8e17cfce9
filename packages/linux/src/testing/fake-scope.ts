import {
  createObjhash,
  type Answer,
  type Argument,
  type CallStep,
  type CheckpointScope,
  type FileStat,
  type Frozen,
  type ImageRecord,
  type Obstacle,
  type RestoreScope,
  type Section,
  type Step,
  type System,
  type Task,
} from '@ckpt/engine';
import { CkptError, type ErrnoName, type RecordType, type Struct } from '@ckpt/format';
import { encodeText } from '@ckpt/io';

export const pid = 4242;

const system: System = {
  uts: { release: '6.18.44', version: '#1 SMP', machine: 'x86_64' },
  kernel: [6, 18, 44],
  bootId: new Uint8Array(16),
  pageSize: 4096,
  cpu: { xfeatures: 0x2e7n, xstateSize: 2696, flags: [] },
  vdsoHash: 0x1234,
  vdsoSize: 0x8000,
  euid: 0,
  choosesPids: true,
  time: 1n,
};

/** stat(2) of a regular file, or of what is said. */
export function fileStat(more: Partial<FileStat> = {}): FileStat {
  const times = { size: 100n, mtime: 1_000_000_000n };
  return {
    ...{ dev: 0xfe00n, ino: 7n, mode: 0o100644, nlink: 1, uid: 0, gid: 0, rdev: 0n },
    ...times,
    ...more,
  };
}

export interface FakeProcess {
  readonly read?: Readonly<Record<string, string | Uint8Array>>;
  readonly link?: Readonly<Record<string, string>>;
  readonly stat?: Readonly<Record<string, FileStat>>;
  readonly tids?: readonly number[];
  readonly stopped?: boolean;
  readonly answers?: readonly Partial<Answer>[];
  readonly frozen?: Partial<Frozen>;
  readonly system?: Partial<System>;
  readonly options?: Readonly<Record<string, unknown>>;
}

/** A record that was emitted, with what follows it. */
interface Emitted {
  readonly type: number;
  readonly value: unknown;
  readonly following: (Uint8Array | readonly unknown[])[];
  /** Bytes among them, with their types. */
  readonly payloads: { readonly type: number; readonly bytes: Uint8Array }[];
}

export interface Checkpointed extends CheckpointScope {
  readonly emitted: Emitted[];
  readonly obstacles: Obstacle[];
  readonly notes: string[];
  /** Values of one type of record. */
  values<T>(type: RecordType<T>): readonly T[];
}

const roomOf = (argument: Argument): Uint8Array[] => {
  if (typeof argument !== 'object' || 'in' in argument) return [];
  return ['out' in argument ? new Uint8Array(argument.out) : argument.inout];
};

/** A scope around a process that is described by what is different about it. */
export function checkpointScope(process: FakeProcess = {}): Checkpointed {
  const { read = {}, link = {}, stat = {}, tids = [pid], stopped = false, answers = [] } = process;
  const task: Task = { pid, startTime: 1n, threads: tids.map((tid) => ({ tid })), stopped };
  const at = <T>(table: Readonly<Record<string, T>>, key: string): T | undefined =>
    Object.hasOwn(table, key) ? table[key] : undefined;
  const nothing = (): never => {
    throw new Error('not part of this test');
  };
  const frozen: Frozen = {
    tasks: [task],
    read: (_, path) => {
      const content = at(read, path);
      return typeof content === 'string' ? encodeText(content) : content;
    },
    list: () => [],
    link: (_, path) => at(link, path),
    stat: (_, path) => at(stat, path),
    thread: nothing,
    pendingShared: () => [],
    ask: (_, __, calls) =>
      calls.map(({ args }) => ({ result: 0n, out: args.flatMap((argument) => roomOf(argument)) })),
    probe: nothing,
    sameFile: nothing,
    pages: () => [],
    memory: nothing,
    copy: nothing,
    contents: () => new Uint8Array(0),
    frozenMs: () => 0,
    thaw: nothing,
    kill: nothing,
    ...process.frozen,
  };
  const emitted: Emitted[] = [];
  const obstacles: Obstacle[] = [];
  const notes: string[] = [];
  let pages = 0;
  return {
    ...{ frozen, task, emitted, obstacles, notes, options: process.options ?? {} },
    system: { ...system, ...process.system },
    objhash: createObjhash(),
    store: {
      add: (_, count) => (pages += count) - count,
      get pages() {
        return pages;
      },
    },
    answers: () => answers.map((answer) => ({ result: 0n, out: [], ...answer })),
    emit: (type, value) => {
      // What cannot be encoded is no record.
      type.encode(value);
      emitted.push({ type: type.type, value, following: [], payloads: [] });
    },
    emitBytes: (type, bytes) => {
      emitted.at(-1)?.following.push(bytes);
      emitted.at(-1)?.payloads.push({ type, bytes });
    },
    emitArray: (_, values) => emitted.at(-1)?.following.push(values),
    refuse: (obstacle) => {
      obstacles.push(obstacle);
    },
    note: (sentence) => {
      notes.push(sentence);
    },
    values: <T>(type: RecordType<T>) =>
      emitted.filter((one) => one.type === type.type).map(({ value }) => value as T),
  };
}

/** A record of a made-up image: value, and what follows it: arrays of values, or bytes by type. */
export interface Made<T = unknown> {
  readonly record: RecordType<T>;
  readonly value: T;
  readonly arrays?: readonly (readonly unknown[])[];
  readonly bytes?: Readonly<Record<number, Uint8Array | readonly Uint8Array[]>>;
}

export const made = <T>(
  record: RecordType<T>,
  value: T,
  more: Pick<Made, 'arrays' | 'bytes'> = {},
): Made => ({ record: record, value, ...more });

function imageRecord({ record, value, arrays = [], bytes = {} }: Made, at: number): ImageRecord {
  const position = 0x100 * (at + 1);
  const invalid = (field: string, sentence: string, errno = 'EINVAL'): CkptError =>
    new CkptError(errno as ErrnoName, sentence, { position, path: [record.name], field });
  return {
    ...{ type: record.type, position, value, invalid },
    bytes: record.encode(value),
    following: Object.keys(bytes).map((type) => ({ type: Number(type) }) as ImageRecord),
    bytesOf: (type, nth = 0) => {
      const payload = [bytes[type] ?? []].flat()[nth];
      if (payload === undefined) throw invalid('type', `no ${type} follows`);
      return payload;
    },
    arrayOf: <E>(_: Struct<E>, nth = 0) => {
      const values = arrays[nth];
      if (values === undefined) throw invalid('type', 'no ARRAY follows');
      return values as readonly E[];
    },
  };
}

export interface Planned extends RestoreScope {
  readonly steps: (Omit<Step, 'id'> & { readonly section: Section })[];
  /** What the result of each step is called; empty for a step that has none. */
  readonly ids: readonly string[];
  readonly notes: string[];
  /** "mmap(4096, ...)" of all calls, in the order of planning. */
  calls(section?: Section): readonly CallStep[];
}

/** A scope over a made-up image. */
export function restoreScope(
  records: readonly Made[],
  more: {
    readonly files?: Readonly<Record<string, FileStat>>;
    readonly system?: Partial<System>;
    readonly options?: Readonly<Record<string, unknown>>;
    /** When other processes were started. */
    readonly starts?: Readonly<Record<number, bigint>>;
  } = {},
): Planned {
  const all = records.map(imageRecord);
  const of = <T>(type: RecordType<T>) =>
    all.filter((record) => record.type === type.type) as ImageRecord<T>[];
  const steps: Planned['steps'] = [];
  const ids: string[] = [];
  const notes: string[] = [];
  const { files = {}, options = {}, starts = {} } = more;
  let count = 0;
  const one = <T>(found: readonly ImageRecord<T>[], name: string): ImageRecord<T> => {
    const [first] = found;
    if (first === undefined) throw new CkptError('EINVAL', `the image has no ${name}`);
    return first;
  };
  return {
    ...{ steps, ids, notes, pid, options },
    system: { ...system, ...more.system },
    document: {
      all: of,
      one: (type) => one(of(type), type.name),
      object: (objref, type) =>
        one(
          of(type).filter(({ value }) => (value as { objref: number }).objref === objref),
          type.name,
        ),
    },
    stat: (path) => (Object.hasOwn(files, path) ? files[path] : undefined),
    startTime: (of) => starts[of],
    call: (
      section,
      from,
      call,
      args,
      { on = pid, what = call, failure = 'fatal', ...rest } = {},
    ) => {
      const origin = { position: from.position, path: call };
      const step = { op: 'call' as const, on, from: origin, call, args, what, failure, ...rest };
      steps.push({ ...step, section });
      const id = `${call}-${++count}`;
      ids.push(id);
      return { result: id };
    },
    step: (section, step) => {
      steps.push({ ...step, section });
      ids.push('');
    },
    fresh: (prefix) => `${prefix}-${++count}`,
    note: (sentence) => {
      notes.push(sentence);
    },
    calls: (section) =>
      steps
        .filter((step) => step.op === 'call' && (section === undefined || step.section === section))
        .map((step) => ({ ...step, id: '' }) as unknown as CallStep),
  };
}

/** The CkptError that is thrown. */
export function thrown(make: () => unknown): CkptError {
  try {
    make();
  } catch (error) {
    if (error instanceof CkptError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

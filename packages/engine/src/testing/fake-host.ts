import { CkptError } from '@ckpt/format';
import { encodeText, type CkptFile } from '@ckpt/io';
import { writeAll } from './write-all.ts';
import type { Call } from '../call.ts';
import type { Frozen, Task } from '../frozen.ts';
import type { Host, PageReader } from '../host.ts';
import type { System } from '../system.ts';
import type { Plan } from '../plan.ts';
import { toyKinds } from './toy-kinds.ts';

export const pageSize = 4096;

const system: System = {
  uts: { release: '2.6.37', version: '#1 SMP', machine: 'x86_64' },
  kernel: [2, 6, 37],
  bootId: new Uint8Array(16).fill(7),
  pageSize,
  cpu: { xfeatures: 7n, xstateSize: 832, flags: ['fpu'] },
  vdsoHash: 0x1234,
  vdsoSize: 0x8000,
  euid: 0,
  choosesPids: true,
  time: 1n,
};

/** Names of what happened to a fake process, in order. */
export type Event = 'freeze' | 'thaw' | 'kill' | 'run' | 'loaded' | 'copy' | 'contents';

export interface FakeOptions {
  readonly tids?: readonly number[];
  readonly stopped?: boolean;
  /** Files of /proc/PID. */
  readonly proc?: Readonly<Record<string, string>>;
  /** Called at each copy, with how many there were before. */
  readonly onCopy?: (index: number) => void;
  readonly frozenMs?: () => number;
  readonly resources?: Host['resources'];
  readonly system?: Partial<System>;
  readonly holder?: (pid: number) => string | undefined;
  readonly copyRuns?: boolean;
  /** Bytes go into the descriptor without `write`. */
  readonly inKernel?: (bytes: Uint8Array) => void;
  readonly run?: (plan: Plan, pages: PageReader) => void;
}

/** Memory of a fake process: the same for everybody who looks. */
export function memoryOf(address: bigint, length: number): Uint8Array {
  const start = Number(address & 0xffff_ffffn);
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index++) {
    bytes[index] = (start + index) * 31 + ((start + index) >> 12);
  }
  return bytes;
}

const stat =
  '4242 (a (name)) t 1 4242 4242 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 99 0 0 ' +
  '0 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0';

/** A process that exists in a test alone, and remembers what was done to it. */
export class FakeHost implements Host {
  readonly events: Event[] = [];
  readonly asked: Call[] = [];
  readonly plans: Plan[] = [];
  readonly resources: Host['resources'];
  /** Pages that a restart read. */
  loaded = new Uint8Array(0);
  readonly #options: FakeOptions;

  constructor(options: FakeOptions = {}) {
    this.#options = options;
    this.resources = options.resources ?? toyKinds;
  }

  /** True when nothing is frozen any more. */
  get free(): boolean {
    const last = this.events.filter((event) => ['freeze', 'thaw', 'kill'].includes(event)).at(-1);
    return last !== 'freeze';
  }

  system(): System {
    return { ...system, ...this.#options.system };
  }

  stat(): undefined {
    return undefined;
  }

  holder(pid: number): string | undefined {
    return this.#options.holder?.(pid);
  }

  leaderOf(tid: number): number | undefined {
    const [leader, ...others] = this.#options.tids ?? [];
    return [...others, 4999].includes(tid) ? leader : undefined;
  }

  freeze(pid: number): Frozen {
    if (pid === 999_999) throw new CkptError('ESRCH', 'no such process: 999999');
    this.events.push('freeze');
    return this.#frozen(pid);
  }

  #frozen(pid: number): Frozen {
    const { tids = [pid], stopped = false, frozenMs = () => 1, proc = {} } = this.#options;
    const task: Task = { pid, startTime: 99n, threads: tids.map((tid) => ({ tid })), stopped };
    const files: Readonly<Record<string, string>> = { stat, comm: 'a (name)\n', ...proc };
    let copies = 0;
    const copy: Frozen['copy'] = (_task, address, length, to) => {
      this.events.push('copy');
      this.#options.onCopy?.(copies++);
      this.#put(memoryOf(address, length), to);
    };
    return {
      tasks: [task],
      read: (_task, path) => {
        const text = files[path];
        return text === undefined ? undefined : encodeText(text);
      },
      list: () => [],
      link: () => undefined,
      stat: () => undefined,
      thread: () => {
        throw new Error('not of this fake');
      },
      pendingShared: () => [],
      ask: (_task, thread, calls) => {
        this.asked.push(...calls);
        return calls.map(({ args }) => ({
          result: BigInt(thread.tid),
          out: args.flatMap((arg) =>
            typeof arg === 'object' && 'out' in arg ? [new Uint8Array(arg.out).fill(3)] : [],
          ),
        }));
      },
      probe: () => [],
      sameFile: () => false,
      pages: () => [],
      memory: (_task, address, length) => memoryOf(address, length),
      copy,
      ...(this.#options.copyRuns === true
        ? {
            copyRuns: (of, runs, to) => {
              for (const { address, length } of runs) copy(of, address, length, to);
            },
          }
        : {}),
      contents: (_task, path, offset, length) => {
        this.events.push('contents');
        return encodeText(path.repeat(10_000)).subarray(Number(offset), Number(offset) + length);
      },
      frozenMs,
      thaw: () => {
        this.events.push('thaw');
      },
      kill: () => {
        this.events.push('kill');
      },
    };
  }

  #put(bytes: Uint8Array, to: CkptFile & { moved?(length: number): void }): void {
    const { inKernel } = this.#options;
    if (inKernel === undefined) {
      writeAll(to, bytes);
    } else {
      inKernel(bytes);
      to.moved?.(bytes.length);
    }
  }

  run(plan: Plan, _image: CkptFile, pages: PageReader): ReturnType<Host['run']> {
    this.events.push('run');
    this.plans.push(plan);
    const loaded = new Uint8Array(plan.store.pages * plan.store.pageSize);
    if (this.#options.run !== undefined) this.#options.run(plan, pages);
    else pages.read(loaded);
    pages.finish();
    this.loaded = loaded;
    this.events.push('loaded');
    return { pid: plan.pid, warnings: [], wait: () => Promise.resolve(0) };
  }
}

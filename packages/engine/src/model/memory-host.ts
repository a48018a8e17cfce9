import { CkptError, type ErrnoName } from '@ckpt/format';
import { decodeText, type CkptFile } from '@ckpt/io';
import { collect } from '../collect.ts';
import type { FileStat } from '../file-stat.ts';
import type { Frozen } from '../frozen.ts';
import type { Host, PageReader, Running } from '../host.ts';
import type { System } from '../system.ts';
import type { Plan, Step } from '../plan.ts';
import type { Resource } from '../resource.ts';
import { onlyTask } from '../tree.ts';
import type { RecordedFacts } from './facts.ts';
import { learnFiles } from './facts-files.ts';
import { ModelKernel } from './kernel.ts';
import { record } from './record.ts';
import { replay } from './replay.ts';

export interface MemoryHostOptions {
  /** Kinds of kernel resource: `resources` of @ckpt/linux. */
  readonly resources: readonly Resource[];
  /** The machine; that of the facts unless told. */
  readonly system?: System;
  /** Is asked before each call of a frozen process: what it returns is thrown instead. */
  readonly fault?: (method: string, key: string) => CkptError | undefined;
  /** Is asked before each step of a plan: what it returns, the step fails with. */
  readonly stepFault?: (step: Step) => ErrnoName | undefined;
  /** Milliseconds since a freeze; 0 unless told. */
  readonly frozenMs?: () => number;
}

/** Reads all that kinds of resource want to know of a frozen process, and gives the facts. */
export function gatherFacts(
  frozen: Frozen,
  system: System,
  resources: readonly Resource[],
): RecordedFacts {
  const recording = record(frozen, system);
  const task = onlyTask(frozen.tasks);
  const { store } = collect({ frozen: recording.frozen, system, task, resources, options: {} });
  const nowhere: CkptFile = { read: () => 0, write: (from) => from.length };
  for (const { source, pages } of store.runs) {
    if ('memory' in source) {
      recording.frozen.copy(task, source.memory, pages * system.pageSize, nowhere);
    }
    if ('contents' in source) {
      recording.frozen.contents(task, source.contents, source.offset, source.size);
    }
  }
  return recording.facts();
}

/**
 * A machine without a kernel: one process that tells what was recorded of a real one, and a model
 * of the kernel that runs plans. A process that was restarted can be checkpointed again.
 */
export class MemoryHost implements Host {
  readonly resources: readonly Resource[];
  readonly kernel: ModelKernel;
  readonly #facts: RecordedFacts;
  readonly #options: MemoryHostOptions;
  #isAlive = true;
  /** How often processes were frozen, and let go or killed. */
  readonly counts = { frozen: 0, thawed: 0, killed: 0 };

  constructor(facts: RecordedFacts, options: MemoryHostOptions) {
    const { resources, system = facts.system } = options;
    this.resources = resources;
    this.#facts = facts;
    this.#options = options;
    this.kernel = new ModelKernel(system, facts.files);
    learnFiles(this.kernel.machine.files, facts);
    for (const [link, holdings] of Object.entries(facts.holdings)) {
      this.kernel.machine.outside.add(link, holdings);
    }
  }

  system(): System {
    return this.kernel.machine.system;
  }

  freeze(pid: number): Frozen {
    const { task } = this.#facts;
    const { fault, frozenMs } = this.#options;
    if (pid !== task.pid || !this.#isAlive) return this.#counted(this.kernel.freeze(pid));
    const frozen = replay(this.#facts, {
      fault,
      frozenMs,
      onKill: () => {
        this.#isAlive = false;
      },
    });
    return this.#counted(frozen);
  }

  #counted(frozen: Frozen): Frozen {
    this.counts.frozen += 1;
    return {
      ...frozen,
      thaw: () => {
        this.counts.thawed += 1;
        frozen.thaw();
      },
      kill: () => {
        this.counts.killed += 1;
        frozen.kill();
      },
    };
  }

  /** What would be recorded of a process now: of one that the model runs, or of the recorded one. */
  facts(pid: number): RecordedFacts {
    return gatherFacts(this.freeze(pid), this.system(), this.resources);
  }

  run(plan: Plan, _image: CkptFile, pages: PageReader): Running {
    return this.kernel.run(plan, pages, { fault: this.#options.stepFault });
  }

  stat(path: string): FileStat | undefined {
    const { files, outside } = this.kernel.machine;
    return files.entry(path)?.inode.stat ?? outside.stat(path);
  }

  startTime(pid: number): bigint | undefined {
    return this.kernel.machine.outside.startTime(pid);
  }

  holder(pid: number): string | undefined {
    const { task, read } = this.#facts;
    if (this.#isAlive && task.tids.includes(pid)) {
      const name = decodeText(read.comm ?? read[`task/${task.pid}/comm`] ?? new Uint8Array(0));
      return `${task.pid} (${name.trim()})`;
    }
    for (const process of this.kernel.machine.processes.values()) {
      if (process.threads.has(pid)) return `${process.pid} (${decodeText(process.name)})`;
    }
    return undefined;
  }
}

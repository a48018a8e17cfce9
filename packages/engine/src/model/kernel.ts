import { CkptError, type ErrnoName } from '@ckpt/format';
import type { FileStat } from '../file-stat.ts';
import type { Frozen } from '../frozen.ts';
import type { PageReader, Running } from '../host.ts';
import type { System } from '../system.ts';
import { checkPlan } from '../plan-check.ts';
import type { LoadStep, Plan, SpawnStep, Step, WipeStep } from '../plan.ts';
import { Arena } from './arena.ts';
import type { Facts } from './facts.ts';
import { loadStep } from './kernel-load.ts';
import { dieStep, resumeStep } from './kernel-resume.ts';
import { Operands } from './kernel-values.ts';
import { Machine } from './machine.ts';
import { freezeModel } from './model-frozen.ts';
import { ModelProcess } from './process.ts';
import { vdsoAt } from './vdso.ts';

const SIGKILL = 9;
/** Bytes: the page of the first program, at the start of the hole. */
const pageSize = 4096n;
/** First number that a process gets which may have any. */
const pidFirst = 1000;

export interface ModelRunOptions {
  /** Is asked before each step: what it returns, the step fails with. */
  readonly fault?: ((step: Step) => ErrnoName | undefined) | undefined;
}

/** Place of a step in the image, as errors tell it. */
const at = ({ from }: Step) => ({ position: from.position, path: [from.path] });

/** One plan on its way. */
class Run {
  readonly process: ModelProcess;
  readonly warnings: string[] = [];
  readonly #operands: Operands;
  readonly #pages: PageReader;
  readonly #fault: ModelRunOptions['fault'];

  constructor(process: ModelProcess, arena: Arena, pages: PageReader, options: ModelRunOptions) {
    this.process = process;
    this.#operands = new Operands(process, arena);
    this.#pages = pages;
    this.#fault = options.fault;
  }

  step(step: Step): void {
    const fault = this.#fault?.(step);
    const isWarned = step.op === 'call' && step.failure === 'warn';
    if (fault !== undefined && !isWarned) throw new CkptError(fault, `step ${step.id}`, at(step));
    switch (step.op) {
      case 'call': {
        const warning = this.#operands.call(step, fault);
        if (warning !== undefined) this.warnings.push(warning);
        break;
      }
      case 'spawn':
        this.#spawn(step);
        break;
      case 'wipe':
        this.#wipe();
        break;
      case 'load':
        this.#load(step);
        break;
      case 'meet':
        for (const tid of step.parties) this.process.thread(this.#tid(tid));
        break;
      case 'die':
        dieStep(this.process, this.process.thread(this.#tid(step.on)), step);
        break;
      case 'resume':
        resumeStep(this.process, this.process.thread(this.#tid(step.on)), step, this.#operands);
        break;
    }
  }

  /** A task of any pid is 0 in its plan. */
  #tid(tid: number): number {
    return tid === 0 ? this.process.pid : tid;
  }

  #spawn(step: SpawnStep): void {
    const { process } = this;
    if (step.kind === 'process') {
      process.clocks = step.clocks;
      this.#operands.results.set(step.id, BigInt(process.pid));
      return;
    }
    if (!process.machine.system.choosesPids)
      throw new CkptError('EPERM', 'no pid may be chosen', at(step));
    for (const { threads } of process.machine.processes.values()) {
      if (threads.has(step.pid)) throw new CkptError('EEXIST', `${step.pid} is in use`, at(step));
    }
    const parent = process.thread(this.#tid(step.on));
    process.threads.set(step.pid, parent.child(step.pid));
    this.#operands.results.set(step.id, BigInt(step.pid));
  }

  /** All but the executor's own block goes; that is no mapping here. */
  #wipe(): void {
    this.process.space.unmap({ start: 0n, end: 1n << 47n });
  }

  #load(step: LoadStep): void {
    try {
      loadStep(this.process, step, this.#pages, this.#operands);
    } catch (error) {
      if (!(error instanceof CkptError)) throw error;
      throw error.within(step.from.path, { position: step.from.position });
    }
  }
}

/**
 * A kernel with a machine of its own: it executes plans, refuses what Linux refuses, and lets its
 * processes be frozen as real ones. What it does not know fails with ENOSYS, by name.
 */
export class ModelKernel {
  readonly machine: Machine;

  constructor(system: System, files: Facts<FileStat | undefined> = {}) {
    this.machine = new Machine(system, files);
  }

  /** The process of that pid. @throws CkptError ESRCH */
  process(pid: number): ModelProcess {
    const process = this.machine.processes.get(pid);
    if (process === undefined) throw new CkptError('ESRCH', `no such process: ${pid}`);
    return process;
  }

  freeze(pid: number): Frozen {
    return freezeModel(this.process(pid));
  }

  /** A process that has nothing yet; 0 is any pid. @throws CkptError EPERM, EEXIST as clone3(2). */
  make(pid: number): ModelProcess {
    const { machine } = this;
    if (pid !== 0 && !machine.system.choosesPids) {
      throw new CkptError('EPERM', `pid ${pid} may not be chosen`);
    }
    let number = pid === 0 ? pidFirst : pid;
    while (pid === 0 && machine.processes.has(number)) number++;
    if (machine.processes.has(number)) throw new CkptError('EEXIST', `pid ${number} is in use`);
    const process = new ModelProcess(machine, number, machine.system.time * 100n);
    machine.processes.set(number, process);
    return process;
  }

  /** What the executor's first program has: a page, a stack, the vdso. */
  #begin(process: ModelProcess, { hole }: WipeStep): Arena {
    const { space } = process;
    const anonymous = { backing: { kind: 'anonymous' }, name: '' } as const;
    const flags = new Set(['rd', 'ex', 'mr', 'mw', 'me']);
    const end = hole.address + pageSize;
    space.insert({ start: hole.address, end, flags, ...anonymous });
    const stack = { start: 0x7fff_fffd_e000n, end: 0x7fff_ffff_e000n };
    space.insert({
      ...stack,
      flags: new Set(['rd', 'wr', 'mr', 'mw', 'me', 'gd', 'ac']),
      ...anonymous,
    });
    const size = BigInt(process.machine.system.vdsoSize);
    const place = stack.start - size - pageSize;
    if (size > 0n) for (const vma of vdsoAt(place, size)) space.insert(vma);
    return new Arena({ start: end, end: hole.address + BigInt(hole.length) });
  }

  /**
   * Runs a whole plan, or nothing of it. The process then stands where it would run on.
   * @throws CkptError as a real host; ENOSYS for what the model does not have.
   */
  run(plan: Plan, pages: PageReader, options: ModelRunOptions = {}): Running {
    checkPlan(plan);
    const wipe = plan.steps.find((step) => step.op === 'wipe');
    if (wipe === undefined) throw new CkptError('EINVAL', 'the plan has no place for the executor');
    const process = this.make(plan.pid);
    try {
      const arena = this.#begin(process, wipe);
      process.user.arena = arena;
      const run = new Run(process, arena, pages, options);
      const isLast = ({ op }: Step): boolean => op === 'resume' || op === 'die';
      for (const step of plan.steps) if (!isLast(step)) run.step(step);
      pages.finish();
      for (const step of plan.steps) if (isLast(step)) run.step(step);
      process.user.arena = undefined;
      return { pid: process.pid, warnings: run.warnings, wait: () => this.#wait(process) };
    } catch (error) {
      process.end(SIGKILL);
      throw error;
    }
  }

  #wait(process: ModelProcess): Promise<number> {
    return new Promise((resolve) => {
      if (this.machine.processes.get(process.pid) === process) process.ends.push(resolve);
      else resolve(SIGKILL);
    });
  }
}

import {
  checkPlan,
  type CallStep,
  type DieStep,
  type LoadStep,
  type Plan,
  type ResumeStep,
  type SpawnStep,
  type Step,
  type WipeStep,
} from '@ckpt/engine';
import { CkptError } from '@ckpt/format';
import { checkDie, checkResume, checkWipe } from './run-check.ts';
import { threadEntry } from './run-clone.ts';
import { at } from './run-error.ts';
import { Operands } from './run-operands.ts';
import { sizeOfEntry, type Entry, type Operand } from './run-table.ts';
import { syscallNumber } from './syscall-numbers.ts';

/** A step that is one entry of a table. */
export interface PlannedCall {
  readonly entry: Entry;
  readonly step: CallStep | SpawnStep;
}

export interface PlannedLoad {
  readonly step: LoadStep;
  /** The descriptor to fill; undefined for memory. */
  readonly fd: Operand | undefined;
}

export interface PlannedResume {
  readonly step: ResumeStep;
  readonly sleep: Entry | undefined;
}

/** Steps that are done together. */
export type Work =
  | { readonly kind: 'calls'; readonly on: number; readonly calls: PlannedCall[] }
  | { readonly kind: 'load'; readonly on: number; readonly loads: PlannedLoad[] }
  | { readonly kind: 'wipe' }
  | { readonly kind: 'meet' };

/** A plan whose every reference was resolved. */
export interface Compiled {
  /** 0: any. */
  readonly pid: number;
  readonly spawn: SpawnStep;
  readonly hole: WipeStep['hole'];
  /** Bytes of each room. */
  readonly rooms: ReadonlyMap<string, number>;
  /** Bytes of the largest entry. */
  readonly entryMax: number;
  readonly work: readonly Work[];
  readonly resumes: readonly PlannedResume[];
  /** The leader, where it exits while others run on. */
  readonly die: DieStep | undefined;
}

class Compiler {
  readonly #plan: Plan;
  readonly #operands: Operands;
  readonly #work: Work[] = [];
  readonly #resumes: PlannedResume[] = [];
  #spawn: SpawnStep | undefined;
  #die: DieStep | undefined;
  #hole: WipeStep['hole'] | undefined;

  constructor(plan: Plan, externals: ReadonlyMap<string, number>) {
    this.#plan = plan;
    this.#operands = new Operands(externals);
  }

  compile(): Compiled {
    for (const step of this.#plan.steps) this.#add(step);
    if (this.#spawn === undefined || this.#hole === undefined) {
      throw new CkptError('EINVAL', 'the plan does not say where its executor may live (wipe)');
    }
    return {
      pid: this.#plan.pid,
      spawn: this.#spawn,
      hole: this.#hole,
      rooms: this.#operands.rooms,
      entryMax: this.#work
        .flatMap((work) => (work.kind === 'calls' ? work.calls : []))
        .reduce((most, { entry }) => Math.max(most, sizeOfEntry(entry)), 0),
      work: this.#work,
      resumes: this.#resumes,
      die: this.#die,
    };
  }

  #add(step: Step): void {
    switch (step.op) {
      case 'spawn':
        if (step.kind === 'process') this.#spawn = step;
        else this.#calls(step.on).push({ step, entry: threadEntry(step) });
        break;
      case 'call':
        this.#calls(step.on).push({ step, entry: this.#call(step) });
        break;
      case 'load':
        this.#load(step);
        break;
      case 'wipe':
        checkWipe(step);
        this.#hole = step.hole;
        this.#work.push({ kind: 'wipe' });
        break;
      case 'meet':
        this.#work.push({ kind: 'meet' });
        break;
      case 'die':
        checkDie(step, this.#plan.pid);
        this.#die = step;
        break;
      case 'resume':
        checkResume(step, this.#plan.pid);
        this.#resumes.push({ step, sleep: this.#sleep(step) });
        break;
    }
  }

  /** Calls of the same thread in a row share a table. */
  #calls(on: number): PlannedCall[] {
    const last = this.#work.at(-1);
    if (last?.kind === 'calls' && last.on === on) return last.calls;
    const calls: PlannedCall[] = [];
    this.#work.push({ kind: 'calls', on, calls });
    return calls;
  }

  #number(step: Step, name: string): number {
    const number = syscallNumber(name);
    if (number !== undefined) return number;
    throw new CkptError('ENOSYS', `no system call has the name ${name}`, at(step));
  }

  #call(step: CallStep): Entry {
    const { id, expect, expectRoom } = step;
    return {
      id,
      number: this.#number(step, step.call),
      args: step.args.map((value) => this.#operands.of(step, value)),
      goOn: step.failure === 'warn',
      ...(expect === undefined ? {} : { expect: BigInt(expect) }),
      ...(expectRoom === undefined ? {} : { expectRoom }),
    };
  }

  #load(step: LoadStep): void {
    const fd = 'fd' in step.to ? this.#operands.of(step, step.to.fd) : undefined;
    const last = this.#work.at(-1);
    if (last?.kind === 'load' && last.on === step.on) last.loads.push({ step, fd });
    else this.#work.push({ kind: 'load', on: step.on, loads: [{ step, fd }] });
  }

  #sleep(step: ResumeStep): Entry | undefined {
    if (step.sleep === undefined) return undefined;
    const { call, args } = step.sleep;
    return {
      id: step.id,
      number: this.#number(step, call),
      args: args.map((value) => this.#operands.of(step, value)),
      goOn: true,
    };
  }
}

/**
 * Checks a plan and resolves every reference, before anything is made.
 * @param externals Numbers in the new task of the descriptors that it gets from outside.
 * @throws CkptError EINVAL or ENOSYS at the step that is wrong.
 */
export function compilePlan(plan: Plan, externals: ReadonlyMap<string, number>): Compiled {
  checkPlan(plan);
  return new Compiler(plan, externals).compile();
}

import { CkptError } from '@ckpt/format';
import { References, stepError } from './plan-references.ts';
import type { DieStep, LoadStep, Plan, ResumeStep, Step, WipeStep } from './plan.ts';

/** End of user space on x86-64 with four levels of page tables (asm/page_64_types.h). */
const userEnd = 1n << 47n;
const registersSize = 27 * 8;
const siginfoSize = 128;

/** Looks at every step in its order, and remembers what later ones may refer to. */
class Checker {
  readonly #plan: Plan;
  readonly #references = new References();
  readonly #threads = new Set<number>();
  readonly #resumed = new Set<number>();
  readonly #dead = new Set<number>();
  /** Memory that loads fill: first byte and end. */
  readonly #filled: { readonly start: bigint; readonly end: bigint; readonly step: Step }[] = [];
  #hole: WipeStep['hole'] | undefined;
  #met: ReadonlySet<number> = new Set();
  #index = 0;

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  check(): void {
    for (const [index, step] of this.#plan.steps.entries()) this.#step(step, index);
    for (const tid of this.#threads) {
      if (this.#resumed.has(tid) || this.#dead.has(tid)) continue;
      throw new CkptError('EINVAL', `the plan makes thread ${tid} and never lets it go`);
    }
    if (this.#threads.size === 0) throw new CkptError('EINVAL', 'the plan makes no process');
    if (this.#resumed.size === 0) throw new CkptError('EINVAL', 'the plan lets no thread go');
    this.#checkOverlaps();
  }

  #step(step: Step, index: number): void {
    if (step.op === 'spawn') this.#spawn(step, index);
    else if (!this.#threads.has(step.on))
      throw stepError(step, `there is no thread ${step.on} yet`);
    if (this.#dead.has(step.on)) throw stepError(step, `thread ${step.on} has ended`);
    if (step.op === 'die') this.#die(step);
    if (step.op !== 'resume' && this.#resumed.size > 0)
      throw stepError(step, 'comes after a resume');
    if (step.op === 'call') this.#references.call(step);
    if (step.op === 'load') this.#load(step);
    if (step.op === 'wipe') this.#wipe(step);
    if (step.op === 'resume') this.#resume(step);
    if (step.op === 'meet') this.#met = new Set(step.parties);
    // Only now: nothing refers to itself.
    this.#references.add(step);
  }

  #spawn(step: Extract<Step, { op: 'spawn' }>, index: number): void {
    const isFirst = index === 0;
    if (isFirst !== (step.kind === 'process')) {
      throw stepError(step, 'the first step, and no other, makes the process');
    }
    if (isFirst && step.pid !== this.#plan.pid)
      throw stepError(step, `the plan is of ${this.#plan.pid}`);
    if (!isFirst && !this.#threads.has(step.on)) throw stepError(step, `no thread ${step.on} yet`);
    if (this.#threads.has(step.pid)) throw stepError(step, `thread ${step.pid} is made twice`);
    this.#threads.add(step.pid);
  }

  #load(step: LoadStep): void {
    const { pages, pageSize } = this.#plan.store;
    const { index, length } = step;
    const count = Math.ceil(length / pageSize);
    if (!Number.isSafeInteger(length) || length <= 0) throw stepError(step, `${length} bytes`);
    if (!Number.isSafeInteger(index) || index < 0 || index + count > pages) {
      throw stepError(step, `pages ${index} to ${index + count} of a store of ${pages}`);
    }
    if (index < this.#index) {
      throw stepError(step, `page ${index} after page ${this.#index - 1}: loads go upwards`);
    }
    this.#index = index + count;
    if ('fd' in step.to) {
      this.#references.value(step, step.to.fd);
      if (step.to.offset < -1n) throw stepError(step, `offset ${step.to.offset}`);
      return;
    }
    const { address } = step.to;
    this.#range(step, address, BigInt(length), BigInt(pageSize));
    this.#filled.push({ start: address, end: address + BigInt(length), step });
  }

  #range(step: Step, address: bigint, length: bigint, align: bigint): void {
    if (address >= 0n && length > 0n && address % align === 0n && address + length <= userEnd)
      return;
    throw stepError(step, `0x${address.toString(16)} and ${length} bytes are no user memory`);
  }

  #wipe(step: WipeStep): void {
    if (this.#hole !== undefined) throw stepError(step, 'a second wipe');
    const { address, length } = step.hole;
    this.#range(step, address, BigInt(length), BigInt(this.#plan.store.pageSize));
    this.#hole = step.hole;
  }

  #infos(step: Step, infos: readonly Uint8Array[]): void {
    const odd = infos.find((info) => info.length !== siginfoSize);
    if (odd !== undefined) throw stepError(step, `a siginfo of ${odd.length} bytes`);
  }

  #die(step: DieStep): void {
    if (!this.#met.has(step.on)) throw stepError(step, 'its thread is not at the last barrier');
    if (step.status < 0 || step.status > 0xff00 || (step.status & 0xff) !== 0) {
      throw stepError(step, `no thread ends alone with status ${step.status}`);
    }
    this.#infos(step, step.pendingShared);
    this.#dead.add(step.on);
  }

  #resume(step: ResumeStep): void {
    if (!this.#met.has(step.on)) throw stepError(step, 'its thread is not at the last barrier');
    if (this.#resumed.has(step.on)) throw stepError(step, `thread ${step.on} is let go twice`);
    if (step.registers.length !== registersSize) {
      throw stepError(step, `${step.registers.length} bytes of registers, not ${registersSize}`);
    }
    this.#infos(step, [...step.pending, ...step.pendingShared]);
    for (const { address } of step.words) this.#range(step, address, 8n, 1n);
    if (step.sleep !== undefined) this.#references.args(step, step.sleep.args);
    this.#resumed.add(step.on);
  }

  /** Two loads into one place, or one into the executor's. */
  #checkOverlaps(): void {
    const byStart = [...this.#filled].sort((a, b) => (a.start < b.start ? -1 : 1));
    let before: (typeof byStart)[number] | undefined;
    for (const load of byStart) {
      if (before !== undefined && load.start < before.end) {
        throw stepError(load.step, `fills what step ${before.step.id} fills`);
      }
      if (this.#hole !== undefined) {
        const end = this.#hole.address + BigInt(this.#hole.length);
        if (load.start < end && load.end > this.#hole.address) {
          throw stepError(load.step, 'fills the place of the executor');
        }
      }
      before = load;
    }
  }
}

/**
 * Checks a plan by itself: references, order, memory. Pids and paths are the machine's matter.
 * @throws CkptError EINVAL at the record that the wrong step comes from.
 */
export function checkPlan(plan: Plan): void {
  new Checker(plan).check();
}

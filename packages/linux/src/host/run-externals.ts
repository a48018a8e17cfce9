import type { Plan, Step, Value } from '@ckpt/engine';

/** Descriptors of ours that a plan may ask for by name. */
export interface Externals {
  /** Name to number in the new task. */
  readonly numbers: ReadonlyMap<string, number>;
  /** Ours, and the number in the new task. */
  readonly pairs: readonly (readonly [from: number, to: number])[];
}

const standard: Readonly<Record<string, number>> = { stdin: 0, stdout: 1, stderr: 2 };

/** Descriptors never have numbers over NR_OPEN_MAX in practice; other arguments do. */
const descriptorMax = 1 << 20;

function valuesOf(step: Step): readonly Value[] {
  if (step.op === 'call') return step.args;
  return step.op === 'load' && 'fd' in step.to ? [step.to.fd] : [];
}

/** The number that a step may give to a descriptor, or close; -1 for none. */
function descriptorOf(step: Step): number {
  if (step.op !== 'call') return -1;
  const place = { dup2: 1, dup3: 1, fcntl: 2, close: 0 }[step.call];
  const value = place === undefined ? undefined : step.args[place];
  const number = typeof value === 'bigint' || typeof value === 'number' ? Number(value) : -1;
  return number < descriptorMax ? number : -1;
}

/**
 * The descriptors that the new task gets from outside, above all of the plan's own and of ours.
 * @param image Descriptor of the image; undefined when it has none.
 * @param isRead The new task reads the image by itself.
 */
export function externalsOf(plan: Plan, image: number | undefined, isRead: boolean): Externals {
  const names = new Set<string>(isRead && image !== undefined ? ['image'] : []);
  for (const step of plan.steps) {
    for (const value of valuesOf(step)) {
      if (typeof value === 'object' && 'external' in value) names.add(value.external);
    }
  }
  const found = [...names].flatMap((name) => {
    const from = name === 'image' ? image : standard[name];
    return from === undefined ? [] : [{ name, from }];
  });
  const used = [2, ...found.map(({ from }) => from), ...plan.steps.map(descriptorOf)];
  const base = used.reduce((a, b) => Math.max(a, b)) + 1;
  return {
    numbers: new Map(found.map(({ name }, index) => [name, base + index])),
    pairs: found.map(({ from }, index) => [from, base + index]),
  };
}

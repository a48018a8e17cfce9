import type { Plan, Step, Value } from '@ckpt/engine';

/** Descriptors of ours that a plan may ask for by name. */
export interface Externals {
  /** Name to number in the new task. */
  readonly numbers: ReadonlyMap<string, number>;
  /** Ours, and the number in the new task. */
  readonly pairs: readonly (readonly [from: number, to: number])[];
}

/** Any descriptor by its number: "fd:3". */
const byNumber = /^fd:(\d{1,7})$/;

const standard: Readonly<Record<string, number>> = { stdin: 0, stdout: 1, stderr: 2 };

/** fcntl.h: F_DUPFD, F_DUPFD_CLOEXEC. */
const duplicating: ReadonlySet<number> = new Set([0, 1030]);

function valuesOf(step: Step): readonly Value[] {
  if (step.op === 'call') return step.args;
  return step.op === 'load' && 'fd' in step.to ? [step.to.fd] : [];
}

/** The number that a step gives to a descriptor, or closes; -1 for none that is known. */
function descriptorOf(step: Step): number {
  if (step.op !== 'call') return -1;
  const numberAt = (place: number): number => {
    const value = step.args[place];
    return typeof value === 'bigint' || typeof value === 'number' ? Number(value) : -1;
  };
  switch (step.call) {
    case 'dup2':
    case 'dup3':
      return numberAt(1);
    case 'fcntl':
      return duplicating.has(numberAt(1)) ? numberAt(2) : -1;
    case 'close':
      return numberAt(0);
    default:
      return -1;
  }
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
    const number = byNumber.exec(name)?.[1];
    const own = number === undefined ? standard[name] : Number(number);
    const from = name === 'image' ? image : own;
    return from === undefined ? [] : [{ name, from }];
  });
  const used = [2, ...found.map(({ from }) => from), ...plan.steps.map(descriptorOf)];
  const base = used.reduce((a, b) => Math.max(a, b)) + 1;
  return {
    numbers: new Map(found.map(({ name }, index) => [name, base + index])),
    pairs: found.map(({ from }, index) => [from, base + index]),
  };
}

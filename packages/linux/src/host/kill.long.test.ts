import { afterEach, beforeAll, describe, test } from 'vitest';
import { bundle } from '../testing/bundle.ts';
import { killAtRandom, sweeps } from '../testing/sweep.ts';
import { obstacle, Target } from '../testing/target.ts';

let doomed = '';
const targets: Target[] = [];

beforeAll(async () => {
  doomed = await bundle(new URL('../testing/doomed.ts', import.meta.url));
});

afterEach(() => {
  for (const target of targets.splice(0)) target.end();
});

function start(command: readonly string[]): Target {
  const target = new Target(command);
  targets.push(target);
  return target;
}

describe.skipIf(obstacle() !== undefined)('a checkpointer that is killed', () => {
  test.each(Object.entries(sweeps))('at any point %s', (_, sweep) => {
    sweep({ doomed, stride: 1, start });
  });

  test('at 300 random moments leaves a sleep and a computation', () => {
    killAtRandom({ doomed, start }, 300);
  });
});

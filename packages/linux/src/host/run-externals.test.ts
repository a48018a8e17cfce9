import type { Plan, Value } from '@ckpt/engine';
import { expect, test } from 'vitest';
import { externalsOf } from './run-externals.ts';

function planOf(...calls: readonly (readonly [call: string, ...args: Value[]])[]): Plan {
  const from = { position: 0, path: 'test' };
  const steps = calls.map(([call, ...args], i) => {
    const step = { op: 'call', id: `${i}`, on: 1, from, call, args } as const;
    return { ...step, failure: 'fatal', what: call } as const;
  });
  return { pid: 1, steps, store: { pages: 0, pageSize: 4096 }, notes: [] };
}

test('the image stands above all descriptors of the plan and of ours', () => {
  const plan = planOf(['dup3', 0, 40, 0], ['fcntl', 0, 1030, 50], ['close', 45], ['dup2', 0, 9n]);
  expect(externalsOf(plan, 21, true).pairs).toEqual([[21, 51]]);
  expect(externalsOf(planOf(), 21, true).pairs).toEqual([[21, 22]]);
});

test('arguments that are no descriptors count for nothing', () => {
  const plan = planOf(['fcntl', 3, 4, 0o2004000], ['mmap', 0x7000_0000], ['lseek', 3, 1000, 0]);
  expect(externalsOf(plan, 7, true).numbers).toEqual(new Map([['image', 8]]));
});

test('a descriptor of ours is asked for by its number', () => {
  const { numbers, pairs } = externalsOf(planOf(['dup', { external: 'fd:12' }]), undefined, false);
  expect([...numbers]).toEqual([['fd:12', 13]]);
  expect(pairs).toEqual([[12, 13]]);
});

test('only what is asked for is given, and only what there is', () => {
  const plan = planOf(['dup2', { external: 'stdout' }, 1], ['dup2', { external: 'moon' }, 2]);
  const { numbers, pairs } = externalsOf(plan, 7, false);
  expect([...numbers]).toEqual([['stdout', 3]]);
  expect(pairs).toEqual([[1, 3]]);
  expect(externalsOf(planOf(), undefined, true).pairs).toEqual([]);
});

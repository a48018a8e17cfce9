import { describe, expect, it } from 'vitest';
import { broken, credulous } from '../testing/broken.ts';
import { eachOf, madeAt } from './batch.ts';
import { attempt } from './fault.ts';
import { runHere } from './here.ts';
import { limits } from './limits.ts';
import { overValues } from '../campaign.ts';

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** All inputs of a batch. */
function inputs(seed: number, batch = 0, from = 0): string[] {
  const found: string[] = [];
  const campaign = broken();
  eachOf(campaign, { seed, batch, count: 64 }, (made) => found.push(hexOf(made.value.bytes)), from);
  return found;
}

const quick = { ...limits, slowMs: 50, shrinkMs: 500 };

describe('a search', () => {
  it('finds a seeded bug, and makes it small', () => {
    const { findings, executions } = runHere(broken(), 1, { runs: 500 });
    expect(executions).toBe(500);
    expect(findings).toHaveLength(1);
    const [finding] = findings;
    expect(finding?.fault).toMatchObject({ name: 'RangeError' });
    expect(finding?.fault.key).toContain('broken.ts');
    // A header is all that it takes.
    expect(finding?.input.bytes.length).toBe(8);
    expect(
      attempt(broken(), finding?.input ?? { bytes: new Uint8Array(), target: '', args: [] }),
    ).toMatchObject({ key: finding?.fault.key });
  });

  it('finds the same under another seed, from other inputs', () => {
    const keys = [1, 2].map(
      (seed) => runHere(broken(), seed, { runs: 500 }).findings[0]?.fault.key,
    );
    expect(keys[0]).toBe(keys[1]);
    expect(inputs(1)).not.toEqual(inputs(2));
    expect(inputs(1, 0)).not.toEqual(inputs(1, 1));
  });

  it('makes the same executions from the same seed, wherever it goes on', () => {
    expect(inputs(5, 3)).toEqual(inputs(5, 3));
    expect(inputs(5, 3, 40)).toEqual(inputs(5, 3).slice(40));
    const made = madeAt(broken(), { seed: 5, batch: 3, count: 64 }, 17);
    expect(hexOf(made.value.bytes)).toBe(inputs(5, 3)[17]);
  });

  it('says what is slow every time, not what was slow once', () => {
    const wait = (ms: number): void => {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
    };
    let first = true;
    const campaign = (ms: () => number) =>
      broken({
        ...credulous,
        name: 'slow',
        read: () => {
          wait(ms());
        },
      });
    const hiccup = () => (first ? ((first = false), 120) : 0);
    expect(runHere(campaign(hiccup), 1, { runs: 2 }, quick).findings).toEqual([]);
    const { findings } = runHere(
      campaign(() => 70),
      1,
      { runs: 1 },
      quick,
    );
    expect(findings.map(({ fault }) => fault.key)).toEqual(['slow slow']);
  });

  it('says what allocates without a bound', () => {
    const kept: Uint8Array[] = [];
    const read = (): void => {
      kept[0] = new Uint8Array(100 << 20);
    };
    const { findings } = runHere(broken({ ...credulous, name: 'greedy', read }), 1, { runs: 3 });
    expect(findings.map(({ fault }) => fault.key)).toEqual(['memory greedy']);
  });

  it('makes values small by the numbers that they come from', () => {
    const campaign = overValues<readonly number[]>({
      ...{ name: 'sums', doc: '' },
      make: (random) => Array.from({ length: random() % 100 }, () => random() % 1000),
      run: (values) => {
        if (values.reduce((sum, value) => sum + value, 0) > 1500) throw new TypeError('too much');
      },
    });
    const { findings } = runHere(campaign, 3, { runs: 64 });
    const [finding] = findings;
    expect(finding?.fault.name).toBe('TypeError');
    expect(finding?.input.bytes.length).toBeLessThanOrEqual(4 * 4);
    const value = campaign.load(
      finding?.input ?? { bytes: new Uint8Array(), target: '', args: [] },
    );
    expect(value).toHaveLength(2);
  });

  it('without an execution has made none', () => {
    expect(runHere(broken(), 1, { runs: 0 }).executions).toBe(0);
    expect(runHere(broken(), 1, { timeMs: 0 }).executions).toBe(0);
  });
});

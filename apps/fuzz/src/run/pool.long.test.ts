import { describe, expect, it } from 'vitest';
import { overBytes, type Campaign, type Input } from '../campaign.ts';
import { limits } from './limits.ts';
import { Pool } from './pool.ts';

/** Runs what was compiled: workers take no TypeScript. */
const entry = new URL('../testing/hanging-worker.mjs', import.meta.url);
const quick = { ...limits, heapMiB: 32, slowMs: 500, shrinkMs: 3000 };

/** The same campaign as the worker has, whose inputs are made again here. */
const campaign = (name: string): Campaign<Input> =>
  overBytes({
    ...{ name, doc: '' },
    make: (random) => ({
      bytes: Uint8Array.from({ length: 20 }, () => random()),
      ...{ target: name, args: [] },
    }),
    run: () => undefined,
  });

describe('a pool', () => {
  it.each([
    ['endless', 'hang endless', 1000, 1],
    ['hoarder', 'memory hoarder', 30_000, 19],
  ])(
    'ends what does not end by itself, saves it, and goes on: %s',
    async (name, key, hangMs, least) => {
      const pool = new Pool({ jobs: 2, entry, corpus: undefined, limits: { ...quick, hangMs } });
      try {
        const quest = { campaign: campaign(name), seed: 4, budget: { runs: 60 } };
        const { executions, findings } = await pool.run({ ...quest, found: () => undefined });
        expect(findings.map(({ fault }) => fault.key)).toEqual([key]);
        const { bytes = new Uint8Array(0) } = findings[0]?.input ?? {};
        expect(bytes).toContain(7);
        expect(bytes.length).toBeLessThanOrEqual(least);
        // Every one of them was begun, those behind the trap too.
        expect(executions).toBe(60);
        const input = { bytes: Uint8Array.of(7), target: name, args: [] };
        expect((await pool.retry(campaign(name), input))?.key).toBe(key);
        const harmless = { ...input, bytes: Uint8Array.of(8) };
        expect(await pool.retry(campaign(name), harmless)).toBeUndefined();
      } finally {
        await pool.close();
      }
    },
  );
});

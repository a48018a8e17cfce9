import { describe, expect, it } from 'vitest';
import { isClean } from './report.ts';
import { runHere } from './run/here.ts';
import { broken, credulous } from './testing/broken.ts';

describe('a run', () => {
  const harmless = broken({ ...credulous, read: () => undefined });

  it('is clean when there were executions and no finding', () => {
    expect(isClean([runHere(harmless, 1, { runs: 10 })])).toBe(true);
    expect(isClean([runHere(broken(), 1, { runs: 300 })])).toBe(false);
  });

  it('is not clean when a campaign was empty', () => {
    const good = runHere(harmless, 1, { runs: 10 });
    expect(isClean([good, runHere(harmless, 1, { runs: 0 })])).toBe(false);
    expect(isClean([])).toBe(false);
  });
});

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { top } from './support/tree.ts';

let place = '';

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'ckpt-summary-'));
  mkdirSync(join(place, 'reports'));
});

afterEach(() => {
  rmSync(place, { recursive: true });
});

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly { file: string; test: string; reason?: string }[];
}

/** Exit status and lines of a summary over these reports. */
function summary(reports: Readonly<Record<string, Counts>>, ...wanted: readonly string[]) {
  for (const [name, counts] of Object.entries(reports))
    writeFileSync(join(place, 'reports', `${name}.json`), JSON.stringify(counts));
  const script = join(top, 'scripts', 'summary.js');
  const done = spawnSync(process.execPath, [script, ...wanted], { cwd: place, encoding: 'utf8' });
  return { status: done.status, lines: done.stdout.trimEnd().split('\n') };
}

const skipped = [{ file: 'a.test.ts', test: 'works', reason: 'no gcc' }];

describe('the summary of test runs', () => {
  it('ends with the sum of all', () => {
    const reports = {
      unit: { passed: 3, failed: 0, skipped },
      kernel: { passed: 4, failed: 0, skipped: [] },
    };
    const { status, lines } = summary(reports);
    expect(lines).toContain('skipped: a.test.ts: works: no gcc');
    expect(lines.at(-1)).toBe('7 passed, 0 failed, 1 skipped');
    expect(status).toBe(0);
  });

  it('fails with one failure', () => {
    const { status, lines } = summary({ unit: { passed: 3, failed: 1, skipped: [] } });
    expect(lines.at(-1)).toBe('3 passed, 1 failed, 0 skipped');
    expect(status).toBe(1);
  });

  it('fails when no test ran', () => {
    expect(summary({}).status).toBe(1);
    expect(summary({ unit: { passed: 0, failed: 0, skipped } }).status).toBe(1);
  });

  it('fails when a run left no report', () => {
    const { status, lines } = summary(
      { unit: { passed: 3, failed: 0, skipped: [] } },
      'unit',
      'long',
    );
    expect(lines).toContain('long: left no report');
    expect(status).toBe(1);
  });
});

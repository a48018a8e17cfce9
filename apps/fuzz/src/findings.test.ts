import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadFinding, quoted, saveFinding } from './findings.ts';
import { attempt } from './run/fault.ts';
import { runHere } from './run/here.ts';
import { broken } from './testing/broken.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ckpt-fuzz-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('a finding', () => {
  it('is saved, and fails again when it is replayed', () => {
    const [finding] = runHere(broken(), 1, { runs: 300 }).findings;
    if (finding === undefined) throw new Error('nothing was found');
    const path = saveFinding(join(folder, 'new'), finding);
    expect(path).toMatch(/new\/decode-[0-9a-f]{10}\.json$/);
    const saved = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    expect(saved).toMatchObject({ campaign: 'decode', target: 'credulous', seed: 1 });
    expect(saved.error).toBe('RangeError');
    const { campaign, input } = loadFinding(path);
    expect(campaign).toBe('decode');
    expect(attempt(broken(), input)?.key).toBe(finding.fault.key);
    expect(loadFinding(path.replace('.json', '.bin')).input).toEqual(input);
  });

  it('has one name, however often it is found', () => {
    for (const seed of [1, 2, 3]) {
      for (const finding of runHere(broken(), seed, { runs: 300 }).findings) {
        saveFinding(folder, finding);
      }
    }
    expect(readdirSync(folder)).toHaveLength(2);
  });

  it('is no other file', () => {
    const path = join(folder, 'x.json');
    for (const text of ['null', '{}', '{"campaign":"decode","target":"x","bytes":"y"}']) {
      writeFileSync(path, text);
      expect(() => loadFinding(path)).toThrow(/no finding/);
    }
  });
});

describe('a path', () => {
  it('is quoted for a shell where that is needed', () => {
    expect(quoted('findings/decode-1.json')).toBe('findings/decode-1.json');
    expect(quoted("a b'c")).toBe(`'a b'\\''c'`);
  });
});

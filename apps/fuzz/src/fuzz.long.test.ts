import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fuzz, replay } from './fuzz.ts';

/** Runs what was compiled: workers take no TypeScript. */
const entry = new URL('testing/broken-worker.mjs', import.meta.url);

let folder = '';
const written: string[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ckpt-fuzz-'));
  written.length = 0;
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
});

afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

describe('a run that finds something', () => {
  const findings = () => join(folder, 'findings');
  const settings = { campaigns: ['decode'], runs: 2000, jobs: 2, seed: 3, entry };

  it('saves it small, says how to try it again, and fails', async () => {
    expect(await fuzz({ ...settings, findings: findings() })).toBe(1);
    const files = readdirSync(findings());
    expect(files.map((file) => file.replace(/[0-9a-f]{10}/, 'X'))).toEqual([
      ...['decode-X.bin', 'decode-X.json'],
    ]);
    const path = join(findings(), files[1] ?? '');
    const said = written.join('');
    expect(said).toMatch(/decode: a revision that nobody thought of\n {2}25 bytes/);
    expect(said).toContain(`ckpt-fuzz --replay ${path}\n`);
    const saved = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    expect(saved).toMatchObject({ seed: 3, error: 'TypeError', target: 'verifyImage' });
    expect(String(saved.stack)).toContain('broken-worker.mjs');
    expect(new Uint8Array(readFileSync(path.replace('.json', '.bin')))).toEqual(
      Uint8Array.from({ length: 25 }, (_, index) => (index === 24 ? 100 : 0)),
    );
    expect(await replay(path, entry)).toBe(1);
    expect(written.at(-1)).toContain('still fails: a revision that nobody thought of');
  });

  it('tells it as one object', async () => {
    expect(await fuzz({ ...settings, findings: findings(), json: true })).toBe(1);
    const { ok, campaigns } = JSON.parse(written.join('')) as {
      ok: boolean;
      campaigns: { executions: number; findings: { bytes: number; replay: string }[] }[];
    };
    expect([ok, campaigns[0]?.executions]).toEqual([false, 2000]);
    expect(campaigns[0]?.findings).toMatchObject([{ bytes: 25 }]);
  });
});

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCampaigns } from './campaigns/index.ts';

const command = fileURLToPath(new URL('../bin/ckpt-fuzz.js', import.meta.url));

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ckpt-fuzz-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function fuzz(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], {
    cwd: folder,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

interface Summary {
  readonly seed: number;
  readonly ok: boolean;
  readonly campaigns: readonly { campaign: string; executions: number; findings: unknown[] }[];
}

describe('ckpt-fuzz', () => {
  it.each(createCampaigns().map(({ name }) => name))('finds nothing: %s', (name) => {
    const { status, stdout, stderr } = fuzz(name, '--time', '20', '--json');
    const summary = JSON.parse(stdout) as Summary;
    expect([summary.seed, summary.campaigns[0]?.findings]).toEqual([summary.seed, []]);
    expect(summary.campaigns[0]?.executions).toBeGreaterThan(50);
    expect({ status, ok: summary.ok }).toEqual({ status: 0, ok: true });
    expect(stderr).toMatch(new RegExp(`^seed ${summary.seed}\n${name} `));
    expect(existsSync(join(folder, 'findings'))).toBe(false);
  });

  it('makes as many executions as it was told, whatever the number of jobs', () => {
    for (const jobs of ['1', '3']) {
      const { stdout } = fuzz(
        'decode',
        'differential',
        ...['--runs', '200'],
        '--jobs',
        jobs,
        ...['--seed', '9'],
        '--json',
      );
      const { campaigns, seed } = JSON.parse(stdout) as Summary;
      expect(seed).toBe(9);
      expect(campaigns.map(({ executions }) => executions)).toEqual(campaigns.map(() => 200));
    }
  });

  it('fails without an execution', () => {
    const { status, stdout } = fuzz('round-trip', '--runs', '0');
    expect({ status, stdout }).toEqual({ status: 1, stdout: 'round-trip: not one execution\n' });
  });

  it('takes its images from a folder', () => {
    writeFileSync(join(folder, 'a.ckpt'), new Uint8Array(20));
    expect(fuzz('decode', '--runs', '500', '--corpus', '.').status).toBe(0);
  });

  it.each([
    ['a campaign that there is not', ['nothing']],
    ['no number', ['--seed', 'x']],
    ['no job', ['--jobs', '0']],
    ['no folder', ['--corpus', 'nowhere']],
    ['an option that there is not', ['--fast']],
    ['a folder without images', ['--corpus', '.']],
    ['a file that is no finding', ['--replay', 'nowhere.json']],
  ])('says when it is used wrongly: %s', (_what, args) => {
    const { status, stderr, stdout } = fuzz(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).not.toBe('');
  });

  it('tries a finding again, which was mended since', () => {
    const path = join(folder, 'f.json');
    const saved = { campaign: 'decode', target: 'verifyImage', args: [], bytes: 'f.bin' };
    writeFileSync(path, JSON.stringify(saved));
    writeFileSync(join(folder, 'f.bin'), new Uint8Array(8));
    const { status, stdout } = fuzz('--replay', path);
    expect({ status, stdout }).toEqual({ status: 0, stdout: `${path}: does not fail any more\n` });
    // A reader that there is no more fails, as long as it is missing.
    writeFileSync(path, JSON.stringify({ ...saved, target: 'gone' }));
    expect(fuzz('--replay', path)).toMatchObject({ status: 1 });
  });
});

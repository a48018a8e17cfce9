import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

/** Exact, so that a run of today and one of next month test the same. */
const versions = { 22: '22.23.3', 24: '24.21.0', 26: '26.10.0' } as const;

export type NodeMajor = keyof typeof versions;

/** Every line of Node that users have beside the one of this machine. */
export const nodeMajors: readonly NodeMajor[] = [22, 24, 26];

/** Outside the tree, so that a fresh clone finds what an earlier one fetched. */
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'ckpt-tests');

/**
 * Path of a Node binary, fetched from the npm registry when it is asked for the first time (some
 * 120 MB unpacked). It comes from the package that npm's `node` chooses for this processor, which
 * needs no install script.
 */
export function nodeBinary(major: NodeMajor): string {
  const name = `node-linux-${process.arch}`;
  const home = join(cache, `${name}-${versions[major]}`);
  const binary = join(home, 'node_modules', name, 'bin', 'node');
  if (!existsSync(binary)) install(`${name}@${versions[major]}`, home);
  return binary;
}

/** Installs beside `home` and renames: two runs at once, or a killed one, leave no half of it. */
function install(spec: string, home: string): void {
  mkdirSync(cache, { recursive: true });
  const fresh = mkdtempSync(join(cache, 'fetch-'));
  try {
    const npm = spawnSync(
      'npm',
      ['install', '--prefix', fresh, '--ignore-scripts', '--no-audit', '--no-fund', spec],
      { cwd: fresh, encoding: 'utf8' },
    );
    if (npm.status !== 0) throw new Error(`npm install ${spec} failed:\n${npm.stderr}`);
    if (!existsSync(home)) renameSync(fresh, home);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

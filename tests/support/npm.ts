import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

/** Outside the tree, so that a fresh clone finds what an earlier one fetched. */
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'ckpt-tests');

/** A file of a package of the npm registry, at an exact version. */
export interface PackagedFile {
  readonly name: string;
  readonly version: string;
  /** Path inside of the package. */
  readonly path: string;
}

/**
 * Path of a file in a package, which is fetched when it is asked for the first time.
 * No install script runs.
 * @throws Error when it cannot be fetched.
 */
export function packagedFile({ name, version, path }: PackagedFile): string {
  const home = join(cache, `${name.replace('/', '-')}-${version}`);
  const file = join(home, 'node_modules', name, path);
  if (!existsSync(file)) install(`${name}@${version}`, home);
  return file;
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

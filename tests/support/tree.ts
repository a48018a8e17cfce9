import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Top of the repository. */
export const top = join(import.meta.dirname, '..', '..');

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly packageManager?: string;
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, string>>;
}

export interface Package {
  /** Absolute path. */
  readonly folder: string;
  readonly manifest: Manifest;
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
}

function inside(parent: string): readonly Package[] {
  return readdirSync(join(top, parent)).map((name) => {
    const folder = join(top, parent, name);
    return { folder, manifest: readManifest(folder) };
  });
}

/** What others import. */
export const packages: readonly Package[] = inside('packages');

/** What others run. */
export const apps: readonly Package[] = inside('apps');

/** The pnpm that this repository names, as a command and its first arguments. */
export const pnpm: readonly string[] = [
  'npx',
  '--yes',
  readManifest(top).packageManager ?? 'pnpm',
  '--silent',
];

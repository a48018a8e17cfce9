import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run.ts';
import { apps, packages, pnpm, type Package } from './tree.ts';

/** A package as npm would get it. */
export interface Tarball extends Package {
  readonly path: string;
  /** What is inside, without the leading "package/". */
  readonly files: readonly string[];
}

/** Packs everything that can be published into a folder, one after another. */
export function packAll(into: string): readonly Tarball[] {
  return [...packages, ...apps].map((one) => {
    const folder = join(into, one.manifest.name.replace('@ckpt/', ''));
    mkdirSync(folder, { recursive: true });
    run([...pnpm, 'pack', '--pack-destination', folder], { cwd: one.folder });
    const path = join(folder, readdirSync(folder)[0] ?? '');
    const listed = run(['tar', '-tzf', path]).trim().split('\n');
    return { ...one, path, files: listed.map((name) => name.replace(/^package\//, '')) };
  });
}

/** A package of ours, and those of ours that it says it needs, directly or not. */
function closure(name: string, tarballs: readonly Tarball[]): readonly Tarball[] {
  const found = new Set<Tarball>();
  const add = (wanted: string): void => {
    const tarball = tarballs.find(({ manifest }) => manifest.name === wanted);
    if (tarball === undefined || found.has(tarball)) return;
    found.add(tarball);
    Object.keys(tarball.manifest.dependencies ?? {}).forEach(add);
  };
  add(name);
  return [...found];
}

/** An empty project with one package of ours, installed by plain npm from its tarball. */
export function installAlone(name: string, tarballs: readonly Tarball[], into: string): string {
  const project = join(into, `use-${name.replace('@ckpt/', '')}`);
  mkdirSync(project, { recursive: true });
  const dependencies = Object.fromEntries(
    closure(name, tarballs).map(({ manifest, path }) => [manifest.name, `file:${path}`]),
  );
  const manifest = { name: 'use', version: '1.0.0', private: true, type: 'module', dependencies };
  writeFileSync(join(project, 'package.json'), JSON.stringify(manifest));
  run(['npm', 'install', '--no-audit', '--no-fund', '--prefer-offline'], { cwd: project });
  return project;
}

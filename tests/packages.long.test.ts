import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asModule, exampleOf } from './support/example.ts';
import { installAlone, packAll, type Tarball } from './support/pack.ts';
import { run } from './support/run.ts';
import { apps, packages, pnpm } from './support/tree.ts';

/** Tools of a release, fetched for these tests alone. */
const publint = [...pnpm, 'dlx', 'publint@0.3.25'];
const attw = [...pnpm, 'dlx', '@arethetypeswrong/cli@0.18.5'];

const place = mkdtempSync(join(tmpdir(), 'ckpt-packages-'));
let tarballs: readonly Tarball[] = [];

beforeAll(() => {
  tarballs = packAll(place);
}, 120_000);

afterAll(() => {
  rmSync(place, { recursive: true, force: true });
});

function tarball(name: string): Tarball {
  const found = tarballs.find(({ manifest }) => manifest.name === name);
  if (found === undefined) throw new Error(`${name} was not packed`);
  return found;
}

const libraries = packages.map(({ manifest: { name } }) => name);
const commands = apps.map(({ manifest: { name } }) => name);

describe.each([...libraries, ...commands])('the tarball of %s', (name) => {
  it('holds code, README and licence, and no test', () => {
    const { files } = tarball(name);
    expect(files).toEqual(expect.arrayContaining(['package.json', 'README.md', 'LICENSE']));
    expect(files.filter((file) => file.startsWith('dist/')).length).toBeGreaterThan(0);
    expect(files.filter((file) => /\.test\.|\/testing\/|tsbuildinfo/.test(file))).toEqual([]);
  });

  it('passes publint', () => {
    expect(run([...publint, 'run', tarball(name).path, '--strict'])).toContain('All good!');
  });

  it('has types that resolve as its code does', () => {
    run([...attw, tarball(name).path, '--profile', 'esm-only']);
  });
});

describe.each(libraries)('%s, alone in an empty project', (name) => {
  it('imports every entry and runs its example', () => {
    const { folder, manifest } = tarball(name);
    const project = installAlone(name, tarballs, place);
    const entries = Object.keys(manifest.exports ?? {})
      .filter((entry) => entry !== './package.json')
      .map((entry) => entry.replace(/^\./, name));
    const imports = entries.map((entry) => `await import('${entry}');`).join('\n');
    run([process.execPath, '--input-type=module', '--eval', imports], { cwd: project });

    const example = exampleOf({ folder, manifest });
    writeFileSync(join(project, 'example.mjs'), asModule(example));
    const printed = run([process.execPath, 'example.mjs'], { cwd: project });
    if (example.prints !== undefined) expect(printed).toBe(example.prints);
  });
});

it.each(commands)('%s, alone in an empty project, has its command', (name) => {
  const { manifest } = tarball(name);
  const project = installAlone(name, tarballs, place);
  for (const command of Object.keys(manifest.bin ?? {})) {
    const binary = join(project, 'node_modules', '.bin', command);
    expect(run([binary, '--version']).trim()).toBe(manifest.version);
    expect(run([binary, '--help'])).toContain(`Usage: ${command}`);
  }
});

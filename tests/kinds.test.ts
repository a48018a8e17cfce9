import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { top } from './support/tree.ts';

/** Text of all files of a folder whose names match. */
function textOf(folder: string, names: RegExp): readonly { name: string; text: string }[] {
  const path = join(top, folder);
  return readdirSync(path)
    .filter((name) => names.test(name))
    .map((name) => ({ name, text: readFileSync(join(path, name), 'utf8') }));
}

const modules = textOf('packages/linux/src/resources', /^(?!.*\.test).*\.ts$/);
const [list] = textOf('packages/linux/src/resources', /^descriptor-kinds\.ts$/);

/** Modules that say which number of FILE they restore: name of the file, name of the kind. */
const kinds = modules.flatMap(({ name, text }) => {
  const [, kind] = /^ {2}kind: fileKinds\.(\w+)/m.exec(text) ?? [];
  return kind === undefined ? [] : [{ name, kind }];
});

const live = [
  ...textOf('packages/linux/src/testing/programs', /\.[ch]$/),
  ...textOf('packages/linux/src/resources', /\.kernel\.test\.ts$/),
  ...textOf('tests/live', /\.kernel\.test\.ts$/),
]
  .map(({ text }) => text.toLowerCase())
  .join('\n');

describe.each(kinds)('what $name carries', ({ name, kind }) => {
  it('is in the list of kinds', () => {
    expect(list?.text).toContain(`from './${name}'`);
  });

  it('has a live program that uses it', () => {
    // Every program opens paths.
    expect(live).toContain(kind === 'path' ? 'open(' : kind);
  });
});

it('a kind is found by how it says its number', () => {
  expect(kinds.length).toBeGreaterThan(5);
});

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, it } from 'vitest';
import { top } from './support/tree.ts';

const foreign = new Set(['node_modules', 'dist', 'reports', 'coverage', '.git', '.turbo']);

function markdown(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return foreign.has(entry.name) ? [] : markdown(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

/** Text without code, in which brackets mean something else. */
function prose(file: string): string {
  return readFileSync(file, 'utf8')
    .replaceAll(/^(?<fence>`{3,})[^\n]*\n.*?^\k<fence>/gms, '')
    .replaceAll(/`[^`\n]*`/g, (code) => code.replaceAll(/[[\]()#]/g, ' '));
}

/** Anchors of the headings, as the hosts of repositories make them. */
function anchors(file: string): ReadonlySet<string> {
  const text = readFileSync(file, 'utf8').replaceAll(/^```.*?^```/gms, '');
  const headings = text.matchAll(/^#{1,6} (?<title>.*)$/gm);
  return new Set(
    [...headings].map(({ groups }) =>
      (groups?.title ?? '')
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replaceAll(' ', '-'),
    ),
  );
}

/** Links within the repository that lead nowhere. */
function broken(file: string): readonly string[] {
  const targets = [...prose(file).matchAll(/\]\((?<target>[^)\s]+)\)/g)];
  return targets
    .map(({ groups }) => groups?.target ?? '')
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => {
      const [path = '', anchor] = target.split('#');
      const to = path === '' ? file : join(dirname(file), path);
      if (!existsSync(to)) return true;
      return anchor !== undefined && (!statSync(to).isFile() || !anchors(to).has(anchor));
    })
    .map((target) => `${relative(top, file)}: ${target}`);
}

it('every link between documents leads somewhere', () => {
  const files = markdown(top);
  expect(files.length).toBeGreaterThan(3);
  expect(files.flatMap(broken)).toEqual([]);
});

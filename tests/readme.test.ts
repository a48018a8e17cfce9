import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import process from 'node:process';
import ts from 'typescript';
import { afterAll, describe, expect, it } from 'vitest';
import { asModule, blocksOf, exampleOf } from './support/example.ts';
import { run } from './support/run.ts';
import { packages, top, type Package } from './support/tree.ts';

const made: string[] = [];

/** Writes beside a package's compiled code: there its own name and those of its dependencies resolve. */
function write({ folder }: Package, file: string, text: string): string {
  mkdirSync(join(folder, 'dist'), { recursive: true });
  const place = mkdtempSync(join(folder, 'dist', 'readme-'));
  made.push(place);
  writeFileSync(join(place, file), text);
  return join(place, file);
}

afterAll(() => {
  for (const place of made) rmSync(place, { recursive: true, force: true });
});

const named = packages.map((one) => ({ name: one.manifest.name, one }));

describe('the example of a README', () => {
  it.each(named)('$name: runs as written', ({ one }) => {
    const example = exampleOf(one);
    const printed = run([process.execPath, write(one, 'example.mjs', asModule(example))]);
    if (example.prints !== undefined) expect(printed).toBe(example.prints);
  });

  it('has the types it seems to have', () => {
    const files = packages.flatMap((one) =>
      blocksOf(one).map((code) => write(one, 'example.ts', code)),
    );
    const program = ts.createProgram(files, {
      module: ts.ModuleKind.NodeNext,
      target: ts.ScriptTarget.ES2023,
      types: ['node'],
      typeRoots: [join(top, 'node_modules', '@types')],
      strict: true,
      noEmit: true,
      skipLibCheck: true,
    });
    const found = ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => {
      const where = file === undefined ? '' : relative(top, file.fileName);
      return `${where}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    });
    expect(found).toEqual([]);
  });
});

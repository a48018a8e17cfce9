import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import type { Package } from './tree.ts';

/** What a README shows first. */
export interface Example {
  readonly name: string;
  /** TypeScript, as written. */
  readonly code: string;
  /** The `text` block right behind it: what the example prints. */
  readonly prints: string | undefined;
}

/** The first `ts` block of a package's README. */
export function exampleOf({ folder, manifest: { name } }: Package): Example {
  const readme = readFileSync(join(folder, 'README.md'), 'utf8');
  const block = /^```ts\n(?<code>.*?)^```\n(?:\s*^```text\n(?<prints>.*?)^```\n)?/ms.exec(readme);
  const { code, prints } = block?.groups ?? {};
  if (code === undefined) throw new Error(`${name}/README.md has no ts block`);
  return { name, code, prints };
}

/** All `ts` blocks of a README, whether or not they can run anywhere. */
export function blocksOf({ folder }: Package): readonly string[] {
  const readme = readFileSync(join(folder, 'README.md'), 'utf8');
  return [...readme.matchAll(/^```ts\n(?<code>.*?)^```$/gms)].map(
    ({ groups }) => groups?.code ?? '',
  );
}

/** The example as an ES module that every Node runs. */
export function asModule({ code }: Example): string {
  const { ESNext } = ts.ModuleKind;
  const compilerOptions = { module: ESNext, target: ts.ScriptTarget.ES2023 };
  return ts.transpileModule(code, { compilerOptions }).outputText;
}

import { mkdirSync, renameSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

/** Native code is found from here. */
const folder = fileURLToPath(new URL('../../node_modules/.cache/', import.meta.url));

/**
 * Bundles a TypeScript program for Node, which may not be able to strip types, and loads one file in
 * half the time of many; returns the path of the result. Others may be bundling it too.
 */
export async function bundle(entry: URL): Promise<string> {
  const input = fileURLToPath(entry);
  const file = join(folder, `${basename(input, '.ts')}.js`);
  const draft = `${file}.${process.pid}`;
  mkdirSync(dirname(file), { recursive: true });
  const made = await rolldown({
    input,
    platform: 'node',
    external: [/^node:/, 'koffi'],
    resolve: { conditionNames: ['@ckpt/source', 'node', 'import'] },
  });
  await made.write({ file: draft, format: 'esm', codeSplitting: false });
  await made.close();
  renameSync(draft, file);
  return file;
}

// Runs bench/NAME.mjs for each NAME given, or all that can be run by themselves, one after another.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

const folder = join(import.meta.dirname, '..', 'bench');
const files = readdirSync(folder).filter((file) => file.endsWith('.mjs'));

/** A file that others import is a part of them. */
const parts = files
  .map((file) => readFileSync(join(folder, file), 'utf8'))
  .flatMap((text) => [...text.matchAll(/from '\.\/(.+?)'/g)].map(([, part]) => part));

const given = process.argv.slice(2).map((name) => `${name}.mjs`);
for (const file of given.length > 0 ? given : files.filter((name) => !parts.includes(name))) {
  console.log(`\n== ${file}`);
  const { status } = spawnSync(process.execPath, [join(folder, file)], { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}

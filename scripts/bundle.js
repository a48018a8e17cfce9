// Puts the command, compiled already, into few files: apps/cli/dist/ckpt.js and parts of it. They load
// in half the time of three hundred, which every run of `ckpt` takes, twice where it has a worker.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';

const top = join(import.meta.dirname, '..');
const dist = join(top, 'apps/cli/dist');

/** What a thread or a process starts from keeps its name; modules look for it beside themselves. */
const input = {
  ckpt: join(dist, 'main.js'),
  'checkpoint-worker': join(top, 'packages/linux/dist/host/checkpoint-worker.js'),
  server: join(dist, 'demo/server.js'),
};

/** What others made comes from its own package, with its licence. */
const external = (/** @type {string} */ id) => /^(?!@ckpt\/)[@a-z]/.test(id);

const old = readdirSync(dist).filter((name) => /^ckpt-.*\.js$/.test(name));
for (const name of old) rmSync(join(dist, name));
const bundle = await rolldown({ input, external, platform: 'node' });
await bundle.write({ dir: dist, chunkFileNames: 'ckpt-[name].js' });
await bundle.close();

import { join } from 'node:path';
import { createEngine, planToText } from '@ckpt/engine';
import { MemoryHost } from '@ckpt/engine/model';
import { MemoryFile } from '@ckpt/io';
import { expect, test } from 'vitest';
import { resources } from './resources/index.ts';
import { recorded } from './testing/record.ts';

/**
 * What a restart of a recorded process would do, on the machine it comes from, as `ckpt restart
 * --dry-run --text` prints it. A change of a plan is reviewed there: `vitest -u` writes them anew.
 */
test.for(['counts', 'settings', 'python', 'node-24'])(
  'the plan of %s is as it was reviewed',
  async (name) => {
    const facts = recorded(name);
    const host = new MemoryHost(facts, { resources });
    const random = () => new Uint8Array(16);
    const image = new MemoryFile();
    createEngine(host, { kill: true, random }).checkpoint(facts.task.pid, image);
    image.rewind();
    const plan = createEngine(host).plan(image);
    const path = join(import.meta.dirname, 'testing/plans', `${name}.plan`);
    await expect(planToText(plan)).toMatchFileSnapshot(path);
  },
);

import { mkdirSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { descriptors, Lab } from './lab.ts';

const lab = new Lab();
afterAll(() => {
  lab.close();
});

const wanted = 10_000;
const kinds = 6;
const made = wanted - (wanted % kinds);

/** Of those that the tests may give to a program. */
const allowed = Number(lab.run('sh', ['-c', 'ulimit -Hn']).stdout.replace('unlimited', 'Infinity'));

/** Skipped where the hard limit of open files (ulimit -Hn) is lower. */
test.skipIf(allowed < wanted + 100)(
  'ten thousand descriptors come back, each with what was in it',
  { timeout: 120_000 },
  async () => {
    const folder = lab.path('files');
    mkdirSync(folder);
    const program = lab.start(lab.compile('many-files'), [String(wanted), folder]);
    await program.saw(/^ready$/m);
    const right = async (): Promise<void> => {
      const from = program.text().length;
      program.kill('SIGUSR1');
      await program.saw(new RegExp(`^${String(made)} right$`, 'm'), from, 60_000);
    };
    await lab.goodMeanwhile('checkpoint', '-o', lab.path('left.ckpt'), String(program.pid));
    await right();
    const before = descriptors(program.pid);
    expect(before.length).toBe(made + 3);
    await lab.cycle(program);
    expect(descriptors(program.pid)).toEqual(before);
    await right();
    await lab.cycle(program);
    await right();
    program.kill();
  },
);

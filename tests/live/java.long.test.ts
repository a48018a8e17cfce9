import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { find, Lab } from './lab.ts';

const lab = new Lab();
afterAll(() => {
  lab.close();
});

const source = fileURLToPath(new URL('programs/Queue.java', import.meta.url));
const java = find('java');

/** A socket whose other end was closed, membarrier(2), a coredump_filter: each machine has them. */
test.skipIf(java === undefined)('Java goes on counting', { timeout: 120_000 }, async () => {
  const program = lab.start(java ?? '', ['-Xmx128m', source]);
  await program.saw(/^n 20$/m, 0, 60_000);
  for (let round = 1; round <= 3; round++) {
    await lab.cycle(program);
    const reached = program.lines().length;
    await program.saw(new RegExp(`^n ${String(reached + 20)}$`, 'm'), 0, 60_000);
  }
  const lines = program.lines();
  expect(lines).toEqual(lines.map((_, index) => `n ${String(index + 1)}`));
  program.kill();
});

import { writeFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { find, Lab } from './lab.ts';

const lab = new Lab();
afterAll(() => {
  lab.close();
});

/** Says on each tick how many seconds its clock shows. */
const ticking = `
setInterval(() => {
  console.log('tick ' + process.hrtime()[0]);
}, 100);
`;

test('a Node whose clock is far ahead ticks on at once', async (context) => {
  const unshare = find('unshare');
  if (unshare === undefined) context.skip('no unshare');
  writeFileSync(lab.path('ticking.js'), ticking);
  const clock = ['--time', '--monotonic', '1000000', '--boottime', '1000000'];
  const program = lab.start('unshare', [...clock, process.execPath, lab.path('ticking.js')]);
  const [, first] = await program.saw(/^tick (\d+)\n(?=.*tick)/m);
  if (Number(first) < 1_000_000) context.skip('no time namespaces');
  for (let round = 0; round < 2; round++) {
    await lab.cycle(program);
    const before = program.text().length;
    const [, after] = await program.saw(/^tick (\d+)\n/m, before);
    expect(Number(after)).toBeGreaterThanOrEqual(Number(first));
    expect(Number(after)).toBeLessThan(Number(first) + 600);
  }
});

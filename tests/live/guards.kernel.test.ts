import { readFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { Lab, type Program } from './lab.ts';

const lab = new Lab();

afterAll(() => {
  lab.close();
});

/**
 * Place, protection and flags of each mapping. A mark of guard pages stays where they have gone, or
 * lay in a mapping that was one with this: it says nothing.
 */
const mappingsOf = ({ pid }: Program): string[] =>
  readFileSync(`/proc/${String(pid)}/smaps`, 'latin1')
    .split(/^(?=[0-9a-f]+-)/m)
    .map((one) => {
      const [place = '', protection = '', offset = ''] = one.split(' ');
      const flags = /^VmFlags:.*$/m.exec(one)?.[0] ?? '';
      return `${place} ${protection} ${offset} ${flags.replace(' gu', '')}`;
    });

test('memory in seldom combinations comes back, twice', async () => {
  const program = lab.start(lab.compile('guards'), [lab.folder]);
  await program.saw(/ready/);
  const before = mappingsOf(program);
  await lab.cycle(program);
  expect(mappingsOf(program)).toEqual(before);
  await lab.cycle(program);
  expect(mappingsOf(program)).toEqual(before);
  program.kill('SIGUSR1');
  await program.saw(/^(kept|not all)$/m);
  expect(program.text()).toBe('ready\nkept\n');
});

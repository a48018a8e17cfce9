import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Lab, type Program } from './lab.ts';

const lab = new Lab();
const area = lab.path('swap');
/** Why there is no room to swap to; undefined when there is. */
let refusal: string | undefined;

beforeAll(() => {
  const commands = [
    ['dd', 'if=/dev/zero', `of=${area}`, 'bs=1M', 'count=16'],
    ['chmod', '600', area],
    ['mkswap', area],
    ['swapon', area],
  ];
  for (const [command = '', ...args] of commands) {
    const { status, stderr } = lab.run(command, args);
    if (status === 0) continue;
    refusal = `${command}: ${stderr}`;
    return;
  }
});

afterAll(() => {
  if (refusal === undefined) lab.run('swapoff', [area]);
  lab.close();
});

/** KiB that each mapping has swapped out, where it has. */
const swapped = ({ pid }: Program): number[] =>
  [...readFileSync(`/proc/${String(pid)}/smaps`, 'latin1').matchAll(/^Swap: +([1-9]\d*)/gm)].map(
    ([, amount]) => Number(amount),
  );

test('pages that are swapped out are in the image', async ({ skip }) => {
  if (refusal !== undefined) skip(`nothing can be swapped out here: ${refusal}`);
  const program = lab.start(lab.compile('swapped'));
  await program.saw(/ready/);
  if (swapped(program).length < 3) skip('this kernel swapped nothing out (MADV_PAGEOUT)');
  await lab.cycle(program);
  program.kill('SIGUSR1');
  await program.saw(/^(kept|not all)$/m);
  expect(program.text()).toBe('ready\nkept\n');
});

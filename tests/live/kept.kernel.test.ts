import { writeFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { Lab } from './lab.ts';

const lab = new Lab();
afterAll(() => {
  lab.close();
});

/** What nothing in /proc shows, and a program misses all the same. */
describe('what the kernel keeps for a process', () => {
  test('is there after two restarts', async () => {
    const end = lab.path('kept.end');
    const program = lab.start(lab.compile('kept'), [end]);
    await program.saw(/ready/);
    await lab.cycle(program);
    await lab.cycle(program);
    writeFileSync(end, '');
    // The parent of what was detached has ended, and takes nobody along.
    await program.saw(/^kept, signal 0 when/m);
    await program.gone();
  });

  test('is there, even what hardly anything shows', async () => {
    const end = lab.path('hidden.end');
    const program = lab.start(lab.compile('hidden'), [end]);
    await program.saw(/ready/);
    await lab.cycle(program);
    await lab.cycle(program);
    writeFileSync(end, '');
    await program.saw(/^kept$/m);
    await program.gone();
  });

  test('ends with its parent where it asked for that, and the parent stays', async () => {
    const end = lab.path('stays.end');
    const program = lab.start(lab.compile('kept'), [end]);
    await program.saw(/ready/);
    lab.good('checkpoint', '--kill', '-o', 'stays.ckpt', String(program.pid));
    await program.gone();
    program.restarted();
    writeFileSync(end, '');
    const { status, stderr } = lab.ckpt('restart', 'stays.ckpt');
    expect(stderr).toMatch(/gets signal 10 when its new parent ends/);
    expect(status).toBe(3);
    expect(program.text()).toMatch(/^kept, signal 10 when/m);
  });
});

test('all that cannot be carried is told at once, and does no harm', async () => {
  const end = lab.path('obstacles.end');
  const program = lab.start(lab.compile('obstacles'), [end]);
  await program.saw(/ready/);
  const { status, stderr } = lab.ckpt('checkpoint', '-o', 'never.ckpt', String(program.pid));
  expect(status).toBe(1);
  expect(stderr).toMatch(/descriptor \d+: \/proc\/\d+\/status: it tells of this very process/);
  expect(stderr).toMatch(/thread \d+: it has a working directory and umask of its own/);
  expect(stderr).toMatch(/thread \d+: it has descriptors of its own/);
  if (!program.text().includes('no segments')) expect(stderr).toMatch(/segments of its own/);
  writeFileSync(end, '');
  await program.saw(/unharmed/);
  await program.gone();
});

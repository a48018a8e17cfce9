import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Lab, type Program } from './lab.ts';

const lab = new Lab();
const pool = '/proc/sys/vm/nr_hugepages';
/** Pages of 2 MiB: those of two such programs at once, nobody's before or behind the tests. */
const pages = 24;
let before = '0';

const setPages = (count: number): void => {
  try {
    writeFileSync(pool, String(count));
  } catch {
    // A machine without: the program says so.
  }
};

beforeAll(() => {
  before = readFileSync(pool, 'latin1');
  setPages(Number(before) + pages);
});

afterAll(() => {
  lab.close();
  setPages(Number(before));
});

/** Lines of smaps that tell of huge pages, but for counts and for what only says who maps it. */
const hugePages = ({ pid }: Program): string[] =>
  readFileSync(`/proc/${String(pid)}/smaps`, 'latin1')
    .split(/^(?=[0-9a-f]+-)/m)
    .filter((one) => /^VmFlags:.* ht/m.test(one))
    .map((one) => {
      const [line = ''] = one.split('\n');
      const [place = '', protection = ''] = line.split(' ');
      const size = /^KernelPageSize:.*$/m.exec(one)?.[0] ?? '';
      return `${place} ${protection} ${size} ${/^VmFlags:.*$/m.exec(one)?.[0] ?? ''}`;
    });

test('huge pages of hugetlbfs come back as huge pages, with their content', async ({ skip }) => {
  const program = lab.start(lab.compile('huge'));
  await program.saw(/ready|none/);
  if (program.text() === 'none\n')
    skip(`no ${String(pages)} huge pages can be had on this machine`);
  const mappings = hugePages(program);
  expect(mappings.length).toBeGreaterThanOrEqual(6);
  await lab.cycle(program);
  expect(hugePages(program)).toEqual(mappings);
  await lab.cycle(program);
  expect(hugePages(program)).toEqual(mappings);
  program.kill('SIGUSR1');
  await program.saw(/^kept$/m);
  await program.gone();
});

test('what too few huge pages are left for is not restarted, and says what to do', async ({
  skip,
}) => {
  const program = lab.start(lab.compile('huge'));
  await program.saw(/ready|none/);
  if (program.text() === 'none\n')
    skip(`no ${String(pages)} huge pages can be had on this machine`);
  lab.good('checkpoint', '--kill', '-o', 'huge.ckpt', String(program.pid));
  await program.gone();
  program.restarted();
  setPages(Number(before));
  const { status, stderr } = lab.ckpt('restart', '--detach', 'huge.ckpt');
  setPages(Number(before) + pages);
  expect(status).toBe(1);
  expect(stderr).toMatch(/ENOMEM.*huge pages .*raise vm.nr_hugepages/s);
  expect(program.state()).toBeUndefined();
  lab.good('restart', '--detach', 'huge.ckpt');
  program.kill('SIGUSR1');
  await program.saw(/^kept$/m);
});

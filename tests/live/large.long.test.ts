import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Lab, type Program } from './lab.ts';

const lab = new Lab();
afterAll(() => {
  lab.close();
});

/** Leaves the most memory the command had, KiB. */
const measure = `
process.on('exit', () => {
  const { maxRSS } = process.resourceUsage();
  require('node:fs').appendFileSync(process.env.MEASURED, maxRSS + '\\n');
});
`;

beforeAll(() => {
  writeFileSync(lab.path('measure.cjs'), measure);
});

/** Runs `ckpt`, which must succeed; returns the most memory that it had, bytes. */
function memoryOf(...args: string[]): number {
  const measured = lab.path('measured');
  rmSync(measured, { force: true });
  const options = ['--require', lab.path('measure.cjs')];
  const environment = [`MEASURED=${measured}`, process.execPath, ...options, lab.bin];
  const { status, stderr } = lab.run('env', [...environment, ...args]);
  expect(status, stderr).toBe(0);
  return Math.max(...readFileSync(measured, 'utf8').trim().split('\n').map(Number)) * 1024;
}

/** Mappings as the kernel tells them: addresses, protection, offset. */
const mappings = ({ pid }: Program): string[] =>
  readFileSync(`/proc/${String(pid)}/maps`, 'latin1')
    .split('\n')
    .map((line) => line.slice(0, 39));

/** What `ckpt` may have at most, whatever the image: bytes. */
const memoryMax = 150 * 2 ** 20;

describe('a process of many or large mappings', () => {
  test.each([
    // Every other mapping has a page, and 64 pages of the reserve are used; the last has 2 GiB.
    ['20,000 mappings', 'mappings', ['20000', '0'], /^as it was$/m, 10_064],
    ['512 GiB reserved, twice', 'mappings', ['20', '512'], /^as it was$/m, 74],
    ['2 GiB in use', 'memory', ['2048'], /^sum [0-9a-f]+$/m, 2 ** 19 + 256],
  ] as const)(
    '%s: all of it comes back, for the price of what is used',
    { timeout: 180_000 },
    async (name, source, args, answer, pages) => {
      const program = lab.start(lab.compile(source), args);
      await program.saw(/^ready/m, 0, 60_000);
      const before = mappings(program);
      const image = lab.path(`${name}.ckpt`);
      const pid = String(program.pid);
      expect(memoryOf('checkpoint', '--kill', '-o', image, pid)).toBeLessThan(memoryMax);
      await program.gone();
      program.restarted();
      // Its program and libraries have some pages of their own, and metadata takes as much as it needs.
      expect(statSync(image).size).toBeLessThan((pages + 512) * 4096 + before.length * 150);
      expect(memoryOf('restart', '--detach', image)).toBeLessThan(memoryMax);
      expect(mappings(program)).toEqual(before);
      program.kill('SIGUSR1');
      const [found] = await program.saw(answer, 0, 60_000);
      if (found.startsWith('sum')) expect(program.text()).toMatch(/^ready (\w+)\nsum \1$/m);
      program.kill();
      rmSync(image);
    },
  );
});

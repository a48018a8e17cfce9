import { mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { descriptors, Lab, type Program } from './lab.ts';

const lab = new Lab();
afterAll(() => {
  lab.close();
});

const script = fileURLToPath(new URL('programs/ring-files.mjs', import.meta.url));

/** What a file of /proc says; empty when it is gone: files are opened and closed meanwhile. */
function look(path: string, read: (path: string) => string): string {
  try {
    return read(path);
  } catch {
    return '';
  }
}

const text = (path: string): string => look(path, (file) => readFileSync(file, 'latin1'));

/** Rings that a thread of the kernel polls, and threads that do. */
function polled({ pid }: Program): readonly [rings: number, threads: number] {
  const path = `/proc/${String(pid)}`;
  const rings = descriptors(pid).filter(
    (fd) =>
      look(`${path}/fd/${String(fd)}`, readlinkSync) === 'anon_inode:[io_uring]' &&
      /^SqThread:\s*\d+$/m.test(text(`${path}/fdinfo/${String(fd)}`)),
  );
  const threads = readdirSync(`${path}/task`).filter((tid) =>
    text(`${path}/task/${tid}/comm`).startsWith('iou-sqp-'),
  );
  return [rings.length, threads.length];
}

/** How many, when each has its thread: one may be made while they are counted, or be busy. */
async function all(program: Program): Promise<number> {
  let [rings, threads] = polled(program);
  await expect
    .poll(() => {
      [rings, threads] = polled(program);
      return rings > 0 && rings === threads;
    })
    .toBe(true);
  return rings;
}

test('Node goes on writing files through rings that the kernel polls', async () => {
  const folder = lab.path('files');
  mkdirSync(folder);
  const program = lab.start(process.execPath, [script, folder], { UV_USE_IO_URING: '1' });
  const rounds = async (over: number): Promise<number> => {
    for (;;) {
      const from = program.text().length;
      program.kill('SIGUSR2');
      const [, found] = await program.saw(/rounds (\d+)\n/, from);
      if (Number(found) > over) return Number(found);
    }
  };
  await program.saw(/^ready$/m);
  let done = await rounds(2);
  await lab.goodMeanwhile('checkpoint', '-o', lab.path('left.ckpt'), String(program.pid));
  done = await rounds(done + 2);
  const before = await all(program);
  await lab.cycle(program);
  await rounds(done + 2);
  expect(await all(program)).toBe(before);
  expect(program.text()).not.toMatch(/wrong|Error/);
  program.kill();
});

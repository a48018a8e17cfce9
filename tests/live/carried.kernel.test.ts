import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync, realpathSync, rmSync, statSync, utimesSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { Lab, type Program } from './lab.ts';

const lab = new Lab();
afterAll(() => {
  lab.close();
});

const source = fileURLToPath(new URL('./programs/carried.c', import.meta.url));
const gcc = (...args: readonly string[]): void => {
  execFileSync('gcc', ['-O1', '-Wl,--build-id', ...args, source]);
};

/** Builds the library; the text is all that differs. */
const buildLibrary = (path: string, text: string): void => {
  gcc('-shared', '-fPIC', `-DLIBRARY="${text}"`, '-o', path);
};

/** A program with a library of its own, that was checkpointed and killed. */
async function killed(name: string, ...options: readonly string[]) {
  const [program, library] = [lab.path(name), lab.path(`lib${name}.so`)];
  buildLibrary(library, 'first');
  execFileSync('gcc', ['-O1', '-o', program, source, library]);
  const target = lab.start(program);
  await target.saw(/ready/);
  const image = `${name}.ckpt`;
  lab.good('checkpoint', '--kill', ...options, '-o', image, String(target.pid));
  await target.gone();
  target.restarted();
  return { target, program, library, image };
}

async function answers(target: Program, signal: 'SIGUSR1' | 'SIGUSR2', text: RegExp) {
  const from = target.text().length;
  target.kill(signal);
  await target.saw(text, from);
}

describe('a self-contained image', () => {
  test('restarts where the program is gone and its library is a newer one', async () => {
    const { target, program, library, image } = await killed('gone', '--self-contained');
    rmSync(program);
    buildLibrary(library, 'second, and longer');
    const { status, stderr } = lab.ckpt('restart', '--detach', image);
    expect([status, stderr]).toEqual([0, expect.stringMatching(/a copy from the image is used/)]);
    await answers(target, 'SIGUSR1', /first 2\n/);
    expect(readFileSync(`/proc/${String(target.pid)}/maps`, 'utf8')).toContain('/memfd:libgone.so');
    await lab.cycle(target);
    await answers(target, 'SIGUSR1', /first 3\n/);
    await answers(target, 'SIGUSR2', /first 4\nagain\n/);
    await answers(target, 'SIGUSR1', /second, and longer 2\n/);
    target.kill();
  });

  test('uses the files where they are the same', async () => {
    const { target, library, image } = await killed('same', '--self-contained');
    lab.good('restart', '--detach', image);
    const maps = readFileSync(`/proc/${String(target.pid)}/maps`, 'utf8');
    expect(maps).toContain(library);
    expect(maps).not.toContain('memfd');
    target.kill();
  });

  test('of Python restarts without its program, and imports on', async () => {
    const python = lab.path('python');
    copyFileSync(realpathSync('/usr/bin/python3'), python);
    const script =
      'import signal, zlib\nprint("ready", flush=True)\nsignal.sigwait([signal.SIGUSR1])\n' +
      'import colorsys\nprint(zlib.crc32(b"x" * 9), colorsys.rgb_to_hsv(1, 1, 1), flush=True)\n' +
      'signal.pause()\n';
    const blocked = `import signal\nsignal.pthread_sigmask(0, [signal.SIGUSR1])\n${script}`;
    const target = lab.start(python, ['-c', blocked], { PYTHONHOME: '/usr' });
    await target.saw(/ready/);
    const image = 'python.ckpt';
    lab.good('checkpoint', '--kill', '--self-contained', '-o', image, String(target.pid));
    await target.gone();
    target.restarted();
    rmSync(python);
    lab.good('restart', '--detach', image);
    await answers(target, 'SIGUSR1', /^\d+ \(0\.0, 0\.0, 1\)/m);
    target.kill();
  });
});

describe('a library', () => {
  test('that was built anew is noticed, though it has the size and the time', async () => {
    const { target, library, image } = await killed('built');
    const { size, mtime } = statSync(library);
    buildLibrary(library, 'other');
    utimesSync(library, mtime, mtime);
    expect(statSync(library).size).toBe(size);
    const { status, stderr } = lab.ckpt('restart', '--detach', image);
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/libbuilt\.so has changed \(build/),
    ]);
    expect(target.alive()).toBe(false);
  });

  test('that was only touched is the same', async () => {
    const { target, library, image } = await killed('touched');
    utimesSync(library, new Date(), new Date());
    lab.good('restart', '--detach', image);
    await answers(target, 'SIGUSR1', /first 2\n/);
    target.kill();
  });
});

import { spawn, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { Lab, Program } from './lab.ts';
import { isFree, random } from './sweep.ts';

const lab = new Lab();
afterAll(() => {
  lab.close();
});

const bin = fileURLToPath(new URL('../../apps/cli/bin/ckpt.js', import.meta.url));
const lines = (path: string) => readFileSync(path, 'utf8').trim().split('\n').map(Number);

/** A counter that goes on after whatever is done to it. */
async function unharmed(work: (target: Program) => void | Promise<void>): Promise<void> {
  const file = lab.path(`count-${String(Math.random()).slice(2)}.txt`);
  const target = lab.start(lab.compile('counter'), [file]);
  for (let wait = 0; !existsSync(file) || lines(file).length < 5; wait++) {
    if (wait > 1000) throw new Error('the counter does not start');
    await delay(5);
  }
  await work(target);
  await isFree(target);
  const reached = lines(file).length;
  for (let wait = 0; lines(file).length < reached + 5; wait++) {
    if (wait > 1000) throw new Error('the counter does not go on');
    await delay(5);
  }
  const counted = lines(file);
  expect(counted).toEqual(counted.map((_, index) => index + 1));
  target.kill();
  await target.gone();
}

/** One clear error: exit status 1, one line that matches, no stack trace. */
function refused(done: { status: number | null; stderr: string }, pattern: RegExp): void {
  expect(done.stderr).toMatch(pattern);
  expect(done.stderr).not.toMatch(/^\s+at .*:\d+:\d+/m);
  expect(done.status).toBe(1);
}

describe('a checkpoint that fails leaves its target unharmed', () => {
  test('when the disk is full', async () => {
    await unharmed((target) => {
      refused(lab.ckpt('checkpoint', '-o', '/dev/full', String(target.pid)), /ENOSPC/);
    });
  });

  test('when the file system is full in the middle of the pages', async () => {
    const small = lab.path('small');
    mkdirSync(small);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'ckpt-small', small]);
    expect(mounted.status).toBe(0);
    try {
      await unharmed((target) => {
        refused(lab.ckpt('checkpoint', '-o', `${small}/a.ckpt`, String(target.pid)), /ENOSPC/);
        expect(spawnSync('ls', ['-A', small], { encoding: 'utf8' }).stdout).toBe('');
      });
    } finally {
      spawnSync('umount', [small]);
    }
  });

  test('when nobody reads the pipe', async () => {
    const target = lab.start(lab.compile('memory'), ['64']);
    const [, sum] = await target.saw(/ready ([0-9a-f]+)/);
    const args = [bin, 'checkpoint', '--deadline', '800', String(target.pid)];
    // A real pipe, whose reader sleeps: Node itself would read on.
    const done = lab.run('sh', [
      '-c',
      `{ "$0" "$@" 2>err.txt; echo "status $?" >>err.txt; } | sleep 3; cat err.txt`,
      process.execPath,
      ...args,
    ]);
    refused(
      { status: Number(/status (\d+)/.exec(done.stdout)?.[1]), stderr: done.stdout },
      /ETIMEDOUT/,
    );
    await isFree(target);
    target.kill('SIGUSR1');
    expect((await target.saw(/sum ([0-9a-f]+)/))[1]).toBe(sum);
    target.kill();
  });

  test('when the reader of the pipe goes away', async () => {
    await unharmed((target) => {
      const done = lab.run('sh', [
        '-c',
        `"${process.execPath}" "${bin}" checkpoint ${String(target.pid)} 2>err.txt | head -c 1000 >/dev/null; cat err.txt`,
      ]);
      expect(done.stdout).toMatch(/EPIPE/);
    });
  });

  test('when somebody else traces it, and says who', async () => {
    await unharmed(async (target) => {
      const tracer = lab.start(lab.compile('tracer'), [String(target.pid)]);
      await tracer.saw(/attached/);
      refused(
        lab.ckpt('checkpoint', '-o', 'traced.ckpt', String(target.pid)),
        new RegExp(`EPERM.*${String(tracer.pid)}.*tracer`),
      );
      tracer.kill();
      await tracer.gone();
    });
  });

  test('when it may not be traced', async () => {
    chmodSync(lab.folder, 0o777);
    await unharmed((target) => {
      const done = spawnSync(
        process.execPath,
        [bin, 'checkpoint', '-o', 'mine.ckpt', String(target.pid)],
        {
          uid: 65534,
          gid: 65534,
          cwd: lab.folder,
          encoding: 'utf8',
        },
      );
      refused(done, /EPERM|EACCES/);
    });
  });

  test('when the image is there already, and it says how', async () => {
    await unharmed((target) => {
      lab.good('checkpoint', '-o', 'twice.ckpt', String(target.pid));
      const before = readFileSync(lab.path('twice.ckpt'));
      refused(
        lab.ckpt('checkpoint', '-o', 'twice.ckpt', String(target.pid)),
        /EEXIST.*twice\.ckpt/,
      );
      expect(readFileSync(lab.path('twice.ckpt')).equals(before)).toBe(true);
    });
  });

  test('when its output goes to somebody else through a pipe', async () => {
    const output = lab.path('through.txt');
    const shell = spawn('sh', [
      '-c',
      `"$0" nanosleep 6000 | cat > "$1"`,
      lab.compile('sleeper'),
      output,
    ]);
    const ended = new Promise<number | null>((resolve) => shell.once('exit', resolve));
    await delay(200);
    const pid = spawnSync('pgrep', ['-P', String(shell.pid), 'sleeper'], {
      encoding: 'utf8',
    }).stdout.trim();
    const told = ['checkpoint', '--kill', '--no-join-pipes', '-o', 'pipe.ckpt', pid];
    refused(lab.ckpt(...told), /descriptor 1: pipe:.*cat/s);
    expect(existsSync(lab.path('pipe.ckpt'))).toBe(false);
    expect(await ended).toBe(0);
    expect(readFileSync(output, 'utf8')).toMatch(/end 0 errno 0 after 6\d{3} ms/);
  });

  test('when a parent waits for its vfork child', { timeout: 30_000 }, async () => {
    const target = lab.start(lab.compile('vfork'), ['6000']);
    await target.saw(/begin/);
    await delay(100);
    const begin = Date.now();
    refused(
      lab.ckpt('checkpoint', '--deadline', '500', '-o', 'vfork.ckpt', String(target.pid)),
      /ETIMEDOUT|EBUSY|EOPNOTSUPP|cannot be checkpointed/,
    );
    expect(Date.now() - begin).toBeLessThan(5000);
    await target.saw(/parent goes on/);
    await isFree(target);
    target.kill();
  });

  test('when it dies in the middle', { timeout: 60_000 }, async () => {
    const next = random(7);
    for (let round = 0; round < 6; round++) {
      const target = lab.start(lab.compile('memory'), ['128']);
      await target.saw(/ready/);
      const child = lab.background('checkpoint', '--force', '-o', 'dies.ckpt', String(target.pid));
      let stderr = '';
      child.stderr?.on('data', (part) => (stderr += String(part)));
      const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
      await delay(90 + next() * 150);
      target.kill();
      const status = await ended;
      if (status !== 0) {
        expect(stderr).toMatch(/ESRCH|EIO/);
        expect(status).toBe(1);
        expect(existsSync(lab.path('dies.ckpt'))).toBe(
          round > 0 && existsSync(lab.path('dies.ckpt')),
        );
      }
      await target.gone();
    }
  });

  test('when there is no such process', () => {
    refused(lab.ckpt('checkpoint', '-o', 'none.ckpt', '4194000'), /ESRCH/);
    const gone = lab.run('sh', ['-c', 'echo $$']);
    refused(lab.ckpt('checkpoint', '-o', 'none.ckpt', gone.stdout.trim()), /ESRCH/);
  });

  test('when the words are wrong: usage, exit status 2', () => {
    expect(lab.ckpt('checkpoint', 'abc').status).toBe(2);
    expect(lab.ckpt('checkpoint').status).toBe(2);
    expect(lab.ckpt('frobnicate').status).toBe(2);
    expect(lab.ckpt('verify', '--nonsense', 'x').status).toBe(2);
  });
});

describe('a restart that fails leaves nothing behind', () => {
  /** Checkpoints a counter with --kill; what is done to its file, then the restart's error. */
  async function restartAfter(change: (file: string) => void, pattern: RegExp): Promise<void> {
    const file = lab.path(`restart-${String(Math.random()).slice(2)}.txt`);
    const target = lab.start(lab.compile('counter'), [file]);
    for (let wait = 0; !existsSync(file) || lines(file).length < 5; wait++) await delay(5);
    lab.good('checkpoint', '--kill', '--force', '-o', 'restart.ckpt', String(target.pid));
    await target.gone();
    change(file);
    refused(lab.ckpt('restart', '--detach', 'restart.ckpt'), pattern);
    expect(target.alive()).toBe(false);
    refused(
      { ...lab.ckpt('verify', 'restart.ckpt'), stderr: lab.ckpt('verify', 'restart.ckpt').stdout },
      pattern,
    );
  }

  test('when a file is missing', async () => {
    await restartAfter((file) => {
      rmSync(file);
    }, /ENOENT.*restart-\d+\.txt/s);
  });

  test('when a file was cut', async () => {
    await restartAfter((file) => {
      writeFileSync(file, '1\n');
    }, /ESTALE.*restart-\d+\.txt/s);
  });

  test('when a FIFO stands in its place', async () => {
    await restartAfter((file) => {
      rmSync(file);
      spawnSync('mkfifo', [file]);
    }, /restart-\d+\.txt/s);
  });

  test('when its program was changed', async () => {
    const program = lab.path('own-counter');
    spawnSync('cp', [lab.compile('counter'), program]);
    const file = lab.path('changed.txt');
    const target = lab.start(program, [file]);
    await delay(100);
    lab.good('checkpoint', '--kill', '-o', 'changed.ckpt', String(target.pid));
    await target.gone();
    appendFileSync(program, 'x');
    refused(lab.ckpt('restart', '--detach', 'changed.ckpt'), /ESTALE.*own-counter/s);
    expect(target.alive()).toBe(false);
  });

  test('when its pid is in use, and it says by whom', async () => {
    const target = lab.start(lab.compile('counter'), [lab.path('inuse.txt')]);
    await delay(100);
    lab.good('checkpoint', '-o', 'inuse.ckpt', String(target.pid));
    refused(
      lab.ckpt('restart', '--detach', 'inuse.ckpt'),
      new RegExp(`EEXIST.*${String(target.pid)}.*counter`, 's'),
    );
    await isFree(target);
    target.kill();
  });
});

describe('a damaged image', () => {
  test('is refused wherever it was cut or changed', { timeout: 120_000 }, async () => {
    const target = lab.start(lab.compile('counter'), [lab.path('damaged.txt')]);
    await delay(100);
    lab.good('checkpoint', '--kill', '-o', 'whole.ckpt', String(target.pid));
    await target.gone();
    const whole = readFileSync(lab.path('whole.ckpt'));
    const { records } = JSON.parse(lab.good('inspect', '--json', 'whole.ckpt').stdout) as {
      records: { position: number; name: string }[];
    };
    const metadata = records.find(({ name }) => name === 'STORE')?.position ?? 0;
    expect(metadata).toBeGreaterThan(1000);
    const next = random(3);
    const cuts = [...records.map(({ position }) => position)];
    for (let n = 0; n < 60; n++) cuts.push(Math.floor(next() * whole.length));
    const names: string[] = [];
    for (const cut of cuts) {
      const name = lab.path(`cut-${String(cut)}.ckpt`);
      writeFileSync(name, whole.subarray(0, cut));
      names.push(name);
    }
    for (let n = 0; n < 200; n++) {
      const position = Math.floor(next() * metadata);
      const name = lab.path(`flip-${String(position)}.ckpt`);
      const flipped = Uint8Array.from(whole);
      flipped[position] = (flipped[position] ?? 0) ^ (1 << Math.floor(next() * 8));
      writeFileSync(name, flipped);
      names.push(name);
    }
    const done = lab.ckpt('verify', '--json', ...names, lab.path('whole.ckpt'));
    const answers = done.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { file: string; ok: boolean; errno: string; pos: number });
    expect(answers).toHaveLength(names.length + 1);
    expect(answers.at(-1)).toMatchObject({ ok: true });
    for (const answer of answers.slice(0, -1)) {
      // Two fields of the header say nothing that a reader checks: padding, and the time.
      expect(answer, answer.file).toMatchObject({ ok: false });
      expect(answer.errno).toMatch(/^E[A-Z0-9]+$/);
      expect(answer.pos).toBeTypeOf('number');
    }
    expect(done.status).toBe(1);
    for (const name of names.slice(0, 5)) {
      refused(lab.ckpt('restart', '--detach', name), /^ckpt: E/m);
      expect(target.alive()).toBe(false);
    }
  });
});

import { execFileSync } from 'node:child_process';
import { existsSync, openSync, closeSync, readdirSync, renameSync } from 'node:fs';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { Bench, bin, stateOf, until } from '../testing/live.ts';

const bench = new Bench();
afterAll(() => {
  bench.close();
});

/** Has more memory than a pipe takes, and a file open for writing. */
const keeper = `
my $memory = 'x' x 5_000_000; open my $file, '>>', 'kept' or die;
syswrite $file, "ready\\n"; sleep 600 while 1;`;

/** What a program says that failed, as JSON. */
const told = (stderr: string) => JSON.parse(stderr) as { errno: string; message: string };

describe('ckpt checkpoint --kill --verify', () => {
  it('kills what can be restarted', async () => {
    const target = bench.target('sleep', ['600']);
    const words = ['checkpoint', '--kill', '--verify', '-o', 'good.ckpt', String(target.pid)];
    expect(bench.run(...words)).toMatchObject({ status: 0 });
    await target.ended;
    const back = bench.run('restart', '--detach', 'good.ckpt');
    expect(back).toMatchObject({ status: 0, stdout: `${target.pid}\n` });
    bench.adopt(target.pid);
    await until('it goes on', () => stateOf(target.pid) === 'S');
  });

  it('does not kill what came from a terminal, when there is none to restart it from', async () => {
    const script = bench.start('script', ['-qec', 'exec sleep 600', '/dev/null'], {
      env: { ...process.env, SHELL: '/bin/sh' },
    });
    const children = () =>
      execFileSync('ps', ['-o', 'pid=,comm=', '--ppid', String(script.pid)], { encoding: 'utf8' });
    await until('it sleeps', () => {
      try {
        return children().includes('sleep');
      } catch {
        return false;
      }
    });
    const pid = Number.parseInt(children(), 10);
    const words = ['--verify', '--json', '-o', 'tty.ckpt', String(pid)];
    const refused = bench.run('checkpoint', '--kill', ...words);
    expect(refused).toMatchObject({ status: 1, stdout: '' });
    const { errno, message } = told(refused.stderr);
    expect(errno).toBe('ENOTTY');
    expect(message).toMatch(
      /^its image could not be restarted here: .* restart it from a terminal/,
    );
    expect(readdirSync(bench.folder)).not.toContain('tty.ckpt');
    await until('it goes on', () => stateOf(pid) === 'S');
    // Without --verify it would be gone now.
    expect(bench.run('checkpoint', '-o', 'tty.ckpt', String(pid)).status).toBe(0);
    process.kill(pid, 'SIGKILL');
    await script.ended;
  });

  it('does not kill when a file was replaced while the image was written', async (context) => {
    if (!existsSync('/usr/bin/perl')) context.skip('no perl');
    const target = bench.target('perl', ['-e', keeper]);
    await until('ready', () => bench.read('kept') !== '');
    await delay(50);
    const fifo = bench.path('stream');
    execFileSync('mkfifo', [fifo]);
    // Nobody reads until the file is another one: the image does not fit into the pipe.
    const reader = bench.start('sh', ['-c', 'exec 3< stream; read -r go; cat <&3 > half.ckpt']);
    const out = openSync(fifo, 'w');
    const words = [bin, 'checkpoint', '--kill', '--verify', '--json', String(target.pid)];
    const ckpt = bench.start(process.execPath, words, { stdio: ['ignore', out, 'pipe'] });
    closeSync(out);
    await until('it is frozen', () => stateOf(target.pid) === 't');
    await until('the pipe is full', () => stateOf(ckpt.pid) === 'S' && written(ckpt.pid) > 60_000);
    renameSync(bench.path('kept'), bench.path('kept.old'));
    execFileSync('mkfifo', [bench.path('kept')]);
    reader.child.stdin?.write('go\n');
    const { status, stderr } = await ckpt.ended;
    expect(status).toBe(1);
    expect(told(stderr)).toMatchObject({ errno: 'ESTALE' });
    expect(told(stderr).message).toMatch(/kept is a FIFO now, a regular file at the checkpoint/);
    await reader.ended;
    await until('it goes on', () => stateOf(target.pid) === 'S');
    renameSync(bench.path('kept.old'), bench.path('kept'));
    expect(bench.run('verify', '--json', 'half.ckpt').stdout).toMatch(/"errno":"EIO"/);
    target.child.kill('SIGKILL');
    await once(target.child, 'close');
  });
});

/** Bytes that a process wrote so far (proc_pid_io(5)). */
function written(pid: number): number {
  const io = execFileSync('cat', [`/proc/${pid}/io`], { encoding: 'utf8' });
  return Number(/^wchar: (\d+)/m.exec(io)?.[1] ?? 0);
}

import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { Bench, bin, listener, stateOf, until, type Started } from '../testing/live.ts';
import { jobOf } from './job.ts';

const bench = new Bench();
afterAll(() => {
  bench.close();
});

const heard = (file: string) => bench.read(file).split('\n').slice(1, -1);

/** Image of a listener that is gone. `own`: it led a session. */
async function listenerImage(name: string, own = true): Promise<{ pid: number; file: string }> {
  const file = `${name}.heard`;
  const target = bench.target(process.execPath, ['-e', listener, bench.path(file)], {
    detached: own,
  });
  await until('ready', () => bench.read(file) !== '');
  // Its first ticks, which a Node program has work to do in.
  await delay(100);
  const { status, stderr } = bench.run('checkpoint', '--kill', `-o${name}`, String(target.pid));
  expect({ status, stderr }).toMatchObject({ status: 0 });
  await target.ended;
  await until('its pid is free', () => jobOf(target.pid) === undefined);
  bench.adopt(target.pid);
  return { pid: target.pid, file };
}

async function runs({ pid }: { pid: number }, ckpt: Started): Promise<void> {
  await until(`restart: ${ckpt.said()}`, () => stateOf(pid) !== undefined);
  // ckpt listens right after; nothing tells when.
  await delay(300);
}

describe('ckpt restart', () => {
  it('passes signals on, and ends with the exit status', async () => {
    const job = await listenerImage('signals.ckpt');
    const ckpt = bench.ckpt('restart', 'signals.ckpt');
    await runs(job, ckpt);
    for (const signal of ['SIGUSR1', 'SIGHUP', 'SIGINT', 'SIGUSR2'] as const) {
      process.kill(ckpt.pid, signal);
      await until(signal, () => heard(job.file).at(-1) === signal);
    }
    process.kill(ckpt.pid, 'SIGTERM');
    expect(await ckpt.ended).toMatchObject({ status: 7, stdout: '', stderr: '' });
    expect(heard(job.file)).toEqual(['SIGUSR1', 'SIGHUP', 'SIGINT', 'SIGUSR2', 'SIGTERM']);
    expect(stateOf(job.pid)).toBeUndefined();
  });

  it('stops with the process, and goes on with it', async () => {
    const job = await listenerImage('stops.ckpt');
    const ckpt = bench.ckpt('restart', 'stops.ckpt');
    await runs(job, ckpt);
    process.kill(ckpt.pid, 'SIGTSTP');
    await until('both stand', () => stateOf(job.pid) === 'T' && stateOf(ckpt.pid) === 'T');
    process.kill(ckpt.pid, 'SIGCONT');
    await until('both go', () => stateOf(job.pid) === 'S' && stateOf(ckpt.pid) !== 'T');
    process.kill(job.pid, 'SIGSTOP');
    await until('it says so', () => ckpt.said().includes(`process ${job.pid} is stopped`));
    process.kill(job.pid, 'SIGCONT');
    process.kill(ckpt.pid, 'SIGTERM');
    expect(await ckpt.ended).toMatchObject({ status: 7 });
  });

  it('does not pass on what the terminal gave to both', async () => {
    const job = await listenerImage('terminal.ckpt', false);
    const command = `exec '${process.execPath}' '${bin}' restart terminal.ckpt`;
    const terminal = bench.start('script', ['-qec', command, '/dev/null'], {
      env: { ...process.env, SHELL: '/bin/sh' },
    });
    await runs(job, terminal);
    terminal.child.stdin?.write('\x03');
    await until('SIGINT', () => heard(job.file).includes('SIGINT'));
    await delay(200);
    expect(heard(job.file)).toEqual(['SIGINT']);
    process.kill(job.pid, 'SIGTERM');
    expect(await terminal.ended).toMatchObject({ status: 7 });
  });

  it('ends with 128 and the signal that killed the process', async () => {
    const job = bench.target('sleep', ['600']);
    expect(bench.run('checkpoint', '--kill', '-okill.ckpt', String(job.pid)).status).toBe(0);
    await job.ended;
    const ckpt = bench.ckpt('restart', '-i', 'kill.ckpt');
    await runs(job, ckpt);
    process.kill(job.pid, 'SIGKILL');
    const { status, stderr } = await ckpt.ended;
    expect(status).toBe(137);
    expect(stderr).toMatch(/the process was killed by SIGKILL/);
  });

  it('detached prints the pid and returns; from a pipe as well', async () => {
    const job = bench.target('sleep', ['600']);
    expect(bench.run('checkpoint', '--kill', '-opipe.ckpt', String(job.pid)).status).toBe(0);
    await job.ended;
    const image = readFileSync(bench.path('pipe.ckpt'));
    const done = bench.runAs({ input: image }, 'restart', '--detach');
    expect(done).toMatchObject({ status: 0, stdout: `${job.pid}\n` });
    bench.adopt(job.pid);
    await until('it sleeps again', () => stateOf(job.pid) === 'S');
    const again = bench.run('restart', '--detach', 'pipe.ckpt', '--json');
    expect(again).toMatchObject({ status: 1, stdout: '' });
    const { errno, message } = JSON.parse(again.stderr) as { errno: string; message: string };
    expect(errno).toBe('EEXIST');
    expect(message).toContain(`pid ${job.pid} is in use by ${job.pid} (sleep)`);
    const dry = bench.run('restart', '--dry-run', 'pipe.ckpt');
    expect(dry.status).toBe(0);
    expect(dry.stderr).toMatch(/would be refused: pid \d+ is in use by \d+ \(sleep\)/);
    process.kill(job.pid, 'SIGKILL');
    await until('gone', () => jobOf(job.pid) === undefined);
    const json = bench.run('restart', '--detach', '--json', 'pipe.ckpt');
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: true, pid: job.pid, revision: 100 });
    process.kill(job.pid, 'SIGKILL');
  });

  it('of a revision 3 image makes a task that pauses, and says that it holds no program', () => {
    const job = bench.target('sleep', ['600']);
    expect(bench.run('checkpoint', '--revision', '3', '-obase.ckpt', String(job.pid)).status).toBe(
      0,
    );
    const { status, stdout, stderr } = bench.run('restart', '--detach', 'base.ckpt');
    expect({ status, stderr }).toMatchObject({ status: 0 });
    const pid = Number(stdout);
    bench.adopt(pid);
    expect(stderr).toMatch(/holds no program/);
    expect(readFileSync(`/proc/${pid}/comm`, 'utf8')).toBe('sleep\n');
    expect(stateOf(pid)).toBe('S');
    process.kill(pid, 'SIGKILL');
  });
});

import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { Bench, bin, until, type Started } from '../testing/live.ts';

const bench = new Bench();
chmodSync(bench.folder, 0o755);
let temporary = '';
let round = 0;

/** Each gets a folder for temporary files of its own, so that nothing can hide. */
beforeEach(() => {
  temporary = bench.path(`tmp-${String(round++)}`);
  mkdirSync(temporary);
  chmodSync(temporary, 0o777);
});

afterAll(() => {
  bench.close();
});

/** Processes that run the demonstration's server, or are it. */
function servers(): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('demo/server.js');
    } catch {
      return false;
    }
  });
}

async function leavesNothing(): Promise<void> {
  await until('no server is left', () => servers().length === 0);
  expect(readdirSync(temporary)).toEqual([]);
}

const environment = () => ({ ...process.env, TMPDIR: temporary });

const steps = ['cold start', 'warm up', 'checkpoint', 'frozen', 'kill -9', 'restart', 'to answer'];

/** Sends SIGINT when the step before that one is done. */
async function interrupted(demo: Started, step: string): Promise<void> {
  const before = steps[steps.indexOf(step) - 1] ?? 'Node HTTP server';
  await until(before, () => demo.said().includes(before));
  demo.child.kill('SIGINT');
  await demo.ended;
  expect(demo.child.signalCode).toBe('SIGINT');
}

/** Runs what the demonstration prints to be run by hand, as it stands. */
async function byHand(printed: string, uid: number): Promise<void> {
  const [, commands = ''] = printed.split('By hand, in a shell:\n\n');
  expect(commands.split('\n').length).toBeGreaterThanOrEqual(8);
  const shell = bench.start('sh', [], { env: environment(), uid, gid: uid });
  shell.child.stdin?.end(commands);
  const { status, stdout, stderr } = await shell.ended;
  expect({ status, stderr }).toMatchObject({ status: 0 });
  const answers = [...stdout.matchAll(/^\{"pid":(\d+),"answers":(\d+),/gm)];
  expect(answers.map(([, , count]) => count)).toEqual(['1', '2']);
  expect(answers[0]?.[1]).toBe(answers[1]?.[1]);
  expect(stderr).toMatch(/checkpointed process/);
  await until('no server is left', () => servers().length === 0);
}

describe('ckpt demo', () => {
  it.each([0, 65534])('shows user %d a server that comes back, and how', async (uid) => {
    const { status, stdout, stderr } = bench.runAs({ uid, env: environment() }, 'demo');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    for (const step of steps) {
      expect(stdout).toMatch(new RegExp(`^ +${step} +[\\d.]+ m?s {2}\\S`, 'm'));
    }
    expect(stdout).toMatch(/cold start takes [\d.]+ times as long/);
    expect(stdout).toMatch(/given 21 answers when it was killed; this was its answer 22/);
    expect(stdout.includes('namespace')).toBe(uid !== 0);
    await leavesNothing();
    await byHand(stdout, uid);
  });

  it('keeps what it is told to keep', async () => {
    const { status, stdout, stderr } = bench.runAs(
      { env: environment() },
      ...['demo', '--keep', '--json'],
    );
    expect(status).toBe(0);
    const story = JSON.parse(stdout) as { before: { pid: number }; after: { pid: number } };
    expect(story).toMatchObject({ ok: true, before: { answers: 21 }, after: { answers: 22 } });
    expect(story.after.pid).toBe(story.before.pid);
    const folder = /Kept: (\S+)/.exec(stderr)?.[1] ?? '';
    expect(existsSync(join(folder, 'server.ckpt'))).toBe(true);
    expect(bench.run('verify', join(folder, 'server.ckpt')).status).toBe(0);
    await until('no server is left', () => servers().length === 0);
  });

  it.each(['warm up', 'restart'])('interrupted before %s leaves nothing behind', async (step) => {
    const demo = bench.start(process.execPath, [bin, 'demo'], { env: environment() });
    await interrupted(demo, step);
    await leavesNothing();
  });

  it('ended without root leaves nothing behind either', async () => {
    const demo = bench.start(process.execPath, [bin, 'demo'], {
      ...{ env: environment(), uid: 65534, gid: 65534 },
    });
    await until('it runs', () => demo.said().includes('cold start'));
    demo.child.kill('SIGTERM');
    await demo.ended;
    await leavesNothing();
  });
});

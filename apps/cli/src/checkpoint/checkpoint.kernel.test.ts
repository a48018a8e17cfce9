import { spawnSync } from 'node:child_process';
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Bench, bin, stateOf, until, type Started } from '../testing/live.ts';

const bench = new Bench();
let sleeper: Started;
let pid = '';

beforeAll(() => {
  sleeper = bench.target('sleep', ['600']);
  pid = String(sleeper.pid);
});

afterAll(() => {
  bench.close();
});

const entries = () => readdirSync(bench.folder).filter((name) => name !== 'output');

const unfinished = () => entries().filter((name) => name.startsWith('.ckpt-'));
const sizeOf = (name: string) => statSync(bench.path(name), { throwIfNoEntry: false })?.size ?? 0;

/** Memory that a process has, KiB. */
function rss(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1] ?? 0);
}

describe('ckpt checkpoint', () => {
  it('writes an image that only its owner may read, and the process goes on', () => {
    const { status, stdout, stderr } = bench.run('checkpoint', pid, '-o', 'job.ckpt');
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
    expect(stderr).toMatch(/^checkpointed process \d+ to job\.ckpt: .*KiB.*frozen for .*goes on/);
    expect(statSync(bench.path('job.ckpt')).mode & 0o777).toBe(0o600);
    expect(entries()).toEqual(['job.ckpt']);
    expect(bench.run('verify', 'job.ckpt').status).toBe(0);
    expect(stateOf(sleeper.pid)).toBe('S');
  });

  it('puts it over a file that is there only when it is told to', () => {
    writeFileSync(bench.path('there'), 'precious');
    const refused = bench.run('checkpoint', pid, '-o', 'there');
    expect(refused).toMatchObject({ status: 1, stdout: '' });
    expect(refused.stderr).toMatch(/EEXIST: there is there already\n {2}hint: --force/);
    expect(readFileSync(bench.path('there'), 'utf8')).toBe('precious');
    expect(bench.run('checkpoint', pid, '-o', 'there', '--force').status).toBe(0);
    expect(bench.run('verify', 'there').status).toBe(0);
  });

  it('writes to standard output, and results to standard error then', () => {
    const out = openSync(bench.path('stdout.ckpt'), 'w');
    const words = ['-c', `exec "$0" "$1" checkpoint ${pid} --json 2> result`];
    const run = bench.start('sh', [...words, process.execPath, bin], {
      stdio: ['ignore', out, 'ignore'],
    });
    closeSync(out);
    return run.ended.then(({ status }) => {
      expect(status).toBe(0);
      const result = JSON.parse(bench.read('result')) as Record<string, unknown>;
      const size = statSync(bench.path('stdout.ckpt')).size;
      expect(result).toMatchObject({ ok: true, pid: sleeper.pid, file: null, revision: 100 });
      expect(result).toMatchObject({ length: size, killed: false });
      expect(bench.run('verify', 'stdout.ckpt').status).toBe(0);
    });
  });

  it('prints its result as JSON beside a file', () => {
    const { status, stdout } = bench.run('checkpoint', pid, '-o', 'json.ckpt', '--json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, file: 'json.ckpt', killed: false });
  });

  it('refuses a log that is the image, before anything is made or lost', () => {
    const none = bench.run('checkpoint', pid, '-o', 'one', '-l', './one', '--json');
    expect(none.status).toBe(1);
    expect(JSON.parse(none.stderr)).toMatchObject({ ok: false, errno: 'EINVAL' });
    expect(entries()).not.toContain('one');
    writeFileSync(bench.path('kept.log'), 'precious');
    symlinkSync('kept.log', bench.path('alias'));
    const forced = bench.run('checkpoint', pid, '--force', '-o', 'alias', '-l', 'kept.log');
    expect(forced).toMatchObject({ status: 1, stdout: '' });
    expect(forced.stderr).toMatch(/EINVAL: the log kept\.log and the image alias are one file/);
    expect(bench.run('restart', '-i', 'alias', '-l', 'kept.log').stderr).toMatch(/EINVAL/);
    expect(bench.run('verify', 'alias', '-l', 'kept.log').stderr).toMatch(/EINVAL/);
    expect(bench.read('kept.log')).toBe('precious');
  });

  it('takes - for standard output', () => {
    const words = `"$0" "$1" checkpoint ${pid} -o - 2> /dev/null | "$0" "$1" verify -`;
    const { status, stdout } = spawnSync('sh', ['-c', words, process.execPath, bin], {
      cwd: bench.folder,
      encoding: 'utf8',
    });
    expect({ status, stdout }).toMatchObject({ status: 0 });
    expect(stdout).toMatch(/^-: ok/);
    expect(entries()).not.toContain('-');
  });

  it('refuses a terminal as usage', async () => {
    const command = `'${process.execPath}' '${bin}' checkpoint ${pid}`;
    const { status, stdout } = await bench.start('script', ['-qec', command, '/dev/null']).ended;
    expect(stdout).toMatch(/standard output is a terminal/);
    expect(status).toBe(2);
  });

  it('writes the base image of a task', () => {
    const { status } = bench.run('checkpoint', pid, '--revision', '3', '-o', 'base.ckpt');
    expect(status).toBe(0);
    expect(statSync(bench.path('base.ckpt')).size).toBe(363);
    const tree = bench.run('inspect', 'base.ckpt').stdout;
    expect(tree).toMatch(/TASK .*[^]*STRING .*"sleep"/);
    expect(tree).toMatch(/set_child_tid 0x0/);
  });

  it('writes the base image of a thread, which is a task to the base', async () => {
    const node = bench.target(process.execPath, ['-e', 'setInterval(() => {}, 1e3)']);
    const threads = () => readdirSync(`/proc/${node.pid}/task`).filter((tid) => +tid !== node.pid);
    await until('threads', () => threads().length > 0);
    const [tid = ''] = threads();
    const field = (file: string, name: string) => {
      const tree = bench.run('inspect', file).stdout;
      return new RegExp(`${name} (\\S+)`).exec(tree)?.[1];
    };
    for (const [id, file] of [
      [tid, 'thread.ckpt'],
      [String(node.pid), 'leader.ckpt'],
    ] as const) {
      expect(bench.run('checkpoint', id, '--revision', '3', '-o', file)).toMatchObject({
        status: 0,
      });
      expect(bench.run('verify', file).status).toBe(0);
    }
    expect(field('thread.ckpt', 'exit_signal')).not.toBe(field('leader.ckpt', 'exit_signal'));
    const cleared = ['thread.ckpt', 'leader.ckpt'].map((file) => field(file, 'clear_child_tid'));
    expect(new Set([...cleared, '0x0']).size).toBe(3);
    expect(bench.run('checkpoint', tid, '-o', 'none.ckpt').stderr).toMatch(/give that pid/);
    expect(stateOf(node.pid)).toBe('S');
  });

  it('that is refused leaves nothing behind, and all reasons', async () => {
    const piped = bench.start('sh', ['-c', 'sleep 600 & echo ready; exec sleep 600'], {
      detached: true,
    });
    await until('ready', () => piped.said().includes('ready'));
    const before = entries();
    const { status, stderr } = bench.run('checkpoint', String(piped.pid), '-o', 'refused.ckpt');
    expect(status).toBe(1);
    expect(stderr).toMatch(/^ckpt: this process cannot be checkpointed as it is:\n/);
    expect(stderr).toMatch(/descriptor 1/);
    expect(stderr).toMatch(/child/);
    expect(entries()).toEqual(before);
    const check = bench.run('check', String(piped.pid), '--json');
    expect(check.status).toBe(1);
    const { obstacles } = JSON.parse(check.stdout) as { obstacles: { remedy: string }[] };
    expect(obstacles.length).toBeGreaterThanOrEqual(2);
    expect(stateOf(piped.pid)).toBe('S');
    process.kill(-piped.pid, 'SIGKILL');
    await piped.ended;
  });

  it('says what it does with -v, and what went wrong in the log', () => {
    const { stderr } = bench.run('checkpoint', pid, '-v', '-o', 'verbose.ckpt');
    for (const phase of ['freeze', 'collect', 'write']) {
      expect(stderr).toMatch(new RegExp(`^ {2}${phase}: .* ms`, 'm'));
    }
    expect(stderr).toMatch(/\d+ pages/);
    const failed = bench.run('checkpoint', '4194303', '-l', 'log', '--json');
    expect(failed.status).toBe(1);
    expect(JSON.parse(failed.stderr)).toMatchObject({ ok: false, errno: 'ESRCH' });
    expect(bench.read('log')).toMatch(/^\[err -3\]\[pos \d+\]/m);
    const debug = bench.run('checkpoint', pid, '--debug', 'all', '-o', 'debug.ckpt');
    expect(debug.stderr.split('\n').length).toBeGreaterThan(2);
  });

  it('with --kill ends the process when its image is there', async () => {
    const other = bench.target('sleep', ['600']);
    const { status, stderr } = bench.run(
      ...['checkpoint', '--kill', '-o', 'killed.ckpt', String(other.pid)],
    );
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(stderr).toMatch(/it was killed/);
    await other.ended;
    expect(bench.run('verify', 'killed.ckpt').status).toBe(0);
  });

  it.each(['SIGINT', 'SIGKILL'] as const)('ended by %s leaves no file behind', async (signal) => {
    const words = ['-e', 'global.b = Buffer.alloc(2 ** 28, 7); setInterval(() => {}, 1e3)'];
    const large = bench.target(process.execPath, words);
    await until('it is large', () => rss(large.pid) > 2 ** 18);
    const ckpt = bench.ckpt('checkpoint', '-o', 'cut.ckpt', String(large.pid));
    await until('it writes', () => unfinished().some((name) => sizeOf(name) > 0));
    ckpt.child.kill(signal);
    await ckpt.ended;
    expect(ckpt.child.signalCode).toBe(signal);
    await until('it is gone', () => unfinished().length === 0);
    expect(entries()).not.toContain('cut.ckpt');
    await until('it goes on', () => stateOf(large.pid) === 'S');
    large.child.kill();
  });

  it('of a process with a hostile name prints nothing that a terminal would obey', async () => {
    const name = 'x\u001b[31m\n';
    const words = ['-e', `process.title = ${JSON.stringify(name)}; setInterval(() => {}, 1e3)`];
    const hostile = bench.target(process.execPath, words);
    await until('title', () => {
      const comm = readFileSync(`/proc/${hostile.pid}/comm`, 'utf8');
      return comm.includes('[31m');
    });
    const folder = bench.path('evil\u001b[32m.ckpt');
    const made = bench.run('checkpoint', String(hostile.pid), '-o', folder);
    const plain = (text: string) => {
      expect([...text.matchAll(/[^\x20-\x7e\n]/g)]).toEqual([]);
    };
    plain(made.stderr);
    expect(made.status).toBe(0);
    plain(bench.run('inspect', folder).stdout);
    plain(bench.run('verify', folder).stdout);
    plain(bench.run('check', String(hostile.pid)).stdout);
    const again = bench.run('restart', folder);
    expect(again.stderr).toMatch(/EEXIST.*in use by \d+ \(x\\x1b\[31m/);
    plain(again.stderr);
  });
});

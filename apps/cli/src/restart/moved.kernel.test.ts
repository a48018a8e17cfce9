import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
} from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { Bench, stateOf, until } from '../testing/live.ts';

const bench = new Bench();
afterAll(() => {
  bench.close();
});

/** Counts, into a file that it holds open and into one that it finds by a relative path. */
const counter = `
chdir 'work' or die; open my $log, '>>', '../log' or die; select $log; $| = 1;
for (my $n = 1;; $n++) {
  print "$n\\n";
  if (open my $now, '>', 'now') { print $now $n; close $now }
  select undef, undef, undef, 0.02;
}`;

/** Lines of a log; the last one may be under way. */
const lines = (name: string) => bench.read(name).split('\n').slice(0, -1);

describe('a program whose files moved', () => {
  it('goes on at the new place, and nowhere else', async (context) => {
    if (!existsSync('/usr/bin/perl')) context.skip('no perl');
    mkdirSync(bench.path('old/work'), { recursive: true });
    // The program itself moves, too.
    copyFileSync('/usr/bin/perl', bench.path('old/program'));
    const target = bench.target(bench.path('old/program'), ['-e', counter], {
      cwd: bench.path('old'),
    });
    await until('it counts', () => lines('old/log').length > 3);
    const made = bench.run('checkpoint', '--kill', '-o', 'moved.ckpt', String(target.pid));
    expect(made).toMatchObject({ status: 0 });
    await target.ended;
    const before = lines('old/log');
    renameSync(bench.path('old'), bench.path('new'));

    const lost = bench.run('verify', 'moved.ckpt');
    expect(lost).toMatchObject({ status: 1 });
    expect(lost.stdout).toMatch(/ENOENT.*\/old.* is not there: .*--map-path OLD=NEW/);
    const move = ['--map-path', `${bench.path('old')}=new`];
    expect(bench.run('verify', ...move, 'moved.ckpt')).toMatchObject({ status: 0 });
    const plan = bench.run('restart', '--dry-run', '--text', ...move, 'moved.ckpt');
    expect(plan.status).toBe(0);
    expect(plan.stdout).toContain(bench.path('new/work'));
    expect(plan.stdout).not.toContain(bench.path('old'));

    const back = bench.run('restart', '--detach', ...move, 'moved.ckpt');
    expect(back).toMatchObject({ status: 0, stdout: `${target.pid}\n` });
    bench.adopt(target.pid);
    await until('it goes on', () => lines('new/log').length > before.length + 3);
    await until('it writes anew', () => Number(bench.read('new/work/now')) > before.length);
    const real = realpathSync(bench.folder);
    const link = (name: string) => readlinkSync(`/proc/${target.pid}/${name}`);
    expect([link('exe'), link('cwd')]).toEqual([`${real}/new/program`, `${real}/new/work`]);
    process.kill(target.pid, 'SIGKILL');
    await until('it is gone', () => stateOf(target.pid) === undefined);
    const all = lines('new/log');
    expect(all).toEqual(all.map((_, index) => String(index + 1)));
    expect(existsSync(bench.path('old'))).toBe(false);
  });
});

import { afterAll, expect, it } from 'vitest';
import { Bench, bin, stateOf, until, type Started } from '../testing/live.ts';
import { jobOf } from './job.ts';

const bench = new Bench();
afterAll(() => {
  bench.close();
});

/** Reads from its terminal, line by line. */
const reader = '$| = 1; print "reader $$\\n"; while (<STDIN>) { exit 7 if /end/; print "got $_" }';

/** Types a line, and waits for an answer that is not its echo. */
async function type(shell: Started, line: string, answer: RegExp): Promise<RegExpExecArray> {
  const from = shell.said().length;
  shell.child.stdin?.write(line);
  await until(`${line}: ${shell.said()}`, () => answer.test(shell.said().slice(from)));
  const match = answer.exec(shell.said().slice(from));
  if (match === null) throw new Error('it was there');
  return match;
}

it('a foreground job of a shell is one again: it reads, stops by Ctrl-Z and goes on', async () => {
  const shell = bench.start('script', ['-qec', 'exec bash --norc -i', '/dev/null'], {
    env: { ...process.env, SHELL: '/bin/sh', PS1: 'shell:', HISTFILE: '' },
  });
  await until('a shell', () => shell.said().includes('shell:'));
  const [, number] = await type(shell, `perl -e '${reader}'\n`, /reader (\d+)/);
  const pid = Number(number);
  bench.adopt(pid);
  await type(shell, 'one\n', /got one/);
  expect(bench.run('checkpoint', '--kill', '-ojob.ckpt', String(pid)).status).toBe(0);
  await until('its pid is free', () => jobOf(pid) === undefined);

  await type(shell, `'${process.execPath}' '${bin}' restart job.ckpt\n`, /note:/);
  await until('it reads', () => jobOf(pid)?.foreground === pid);
  await type(shell, 'two\n', /got two/);
  await type(shell, '\x1a', /Stopped[^]*shell:/);
  expect(stateOf(pid)).toBe('T');
  await type(shell, 'echo $((6 * 7))\n', /^42/m);
  await type(shell, 'fg\n', /restart/);
  await until('it goes on', () => stateOf(pid) === 'S' && jobOf(pid)?.foreground === pid);
  await type(shell, 'three\n', /got three/);
  await type(shell, 'end\n', /shell:/);
  await type(shell, 'echo $?\n', /^7/m);

  // In the background of the shell it stops as it reads, and can be brought forward.
  await type(shell, `'${process.execPath}' '${bin}' restart job.ckpt &\n`, /in the background/);
  await until('it is stopped', () => stateOf(pid) === 'T');
  // A shell that has not seen it stop does not let it go on, either.
  for (let seen = ''; !seen.includes('Stopped');) {
    [seen] = await type(shell, 'jobs; echo those\n', /(Running|Stopped)[^]*^those/m);
  }
  await type(shell, 'fg\n', /restart/);
  await until('it goes on', () => jobOf(pid)?.foreground === pid);
  await type(shell, 'four\n', /got four/);
  await type(shell, 'end\n', /shell:/);
  await type(shell, 'exit\n', /exit/);
  await shell.ended;
}, 60_000);

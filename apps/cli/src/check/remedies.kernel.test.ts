import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Bench, bin, stateOf, until } from '../testing/live.ts';

const bench = new Bench();
const PATH = `${bench.path('bin')}:${process.env.PATH ?? ''}`;

beforeAll(() => {
  // As somebody who was told "ckpt checkpoint ..." would type it.
  mkdirSync(bench.path('bin'));
  writeFileSync(bench.path('bin/ckpt'), `#!/bin/sh\nexec '${process.execPath}' '${bin}' "$@"\n`);
  chmodSync(bench.path('bin/ckpt'), 0o755);
});

afterAll(() => {
  bench.close();
});

interface Told {
  readonly obstacles: readonly { readonly thing: string; readonly remedy: string }[];
}

/** What `ckpt check --json` said keeps a process from being checkpointed. */
const remedies = (stdout: string): readonly string[] =>
  (JSON.parse(stdout) as Told).obstacles.map(({ remedy }) => remedy);

const remediesOf = (pid: number) => remedies(bench.run('check', '--json', String(pid)).stdout);

let count = 0;

/** A shell behind a command, which does what it is told line by line. */
function shellBehind(...command: readonly string[]) {
  const [program = '', ...words] = command;
  const shell = bench.start(program, [...words, 'sh'], { env: { ...process.env, PATH } });
  return {
    ...shell,
    /** Runs a line; returns its status and what it wrote. */
    async run(line: string) {
      const name = `line-${++count}`;
      const done = `{ ${line}\n} > ${name}.out 2>&1 3> ${name}; echo $? > ${name}.done\n`;
      shell.child.stdin?.write(done);
      await until(line, () => bench.read(`${name}.done`).endsWith('\n'), 30_000);
      return { status: Number(bench.read(`${name}.done`)), out: bench.read(`${name}.out`) };
    },
  };
}

/** First process that a process has started. */
async function childOf(pid: number): Promise<number> {
  const children = () => readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim();
  await until('a child', () => children() !== '');
  return Number.parseInt(children(), 10);
}

/** The program that a process runs: what starts another one takes its time. */
const runs = (pid: number, name: string) =>
  until(name, () => readFileSync(`/proc/${pid}/comm`, 'latin1') === `${name}\n`);

const quiet = '< /dev/null > /dev/null 2>&1';

describe('a remedy that is a command works', () => {
  it.each([
    ['UTS', ['--uts'], 'exec sleep 600', 'nsenter'],
    ['pid', ['--pid', '--fork', '--mount-proc'], `sleep 600 & wait`, 'nsenter'],
  ] as const)('%s namespace: nsenter', async (_name, flags, script, program) => {
    const target = bench.target('unshare', [...flags, 'sh', '-c', script]);
    let { pid } = target;
    if (flags.length > 1) pid = await childOf(await childOf(pid));
    await runs(pid, 'sleep');
    const found = [...new Set(remediesOf(pid))];
    expect(found).toEqual([expect.stringMatching(/^nsenter .* ckpt checkpoint \d+$/)]);
    expect(found[0]).toContain(`${program} --target ${pid}`);
    const image = bench.path(`${_name}.ckpt`);
    const done = await shellBehind('env').run(`${found[0] ?? ''} -o ${image}`);
    expect(done).toMatchObject({ status: 0 });
    expect(existsSync(image)).toBe(true);
    process.kill(-target.pid, 'SIGKILL');
  });

  it('a root directory: chroot', async () => {
    const shell = shellBehind('unshare', '--mount', '--propagation', 'private');
    const root = bench.path('new root');
    await shell.run(`mkdir '${root}' && mount --rbind / '${root}'`);
    const { out } = await shell.run(`chroot '${root}' sleep 600 ${quiet} & echo $!`);
    const pid = Number(out);
    await runs(pid, 'sleep');
    const check = await shell.run(`ckpt check --json ${pid}`);
    expect(remedies(check.out)).toEqual([`chroot '${root}' ckpt checkpoint ${pid}`]);
    const image = bench.path('chroot.ckpt');
    const remedy = remedies(check.out)[0] ?? '';
    expect(await shell.run(`${remedy} --kill -o ${image}`)).toMatchObject({ status: 0 });
    await until('it is gone', () => stateOf(pid) === undefined);
    await shell.run('wait');
    const back = await shell.run(`chroot '${root}' ckpt restart --detach ${image}`);
    expect(back).toMatchObject({ status: 0 });
    bench.adopt(pid);
    expect((await shell.run(`readlink /proc/${pid}/root`)).out.trim()).toBe(root);
    shell.child.stdin?.end();
  });

  it('a time namespace of the children alone: unshare --time --fork', async (context) => {
    if (!existsSync('/usr/bin/perl')) context.skip('no perl');
    // unshare(2) with CLONE_NEWTIME.
    const target = bench.target('perl', ['-e', 'syscall 272, 0x80; $0 = "unshared"; sleep 600']);
    await runs(target.pid, 'unshared');
    const found = remediesOf(target.pid);
    expect(found).toEqual(['start the program behind: unshare --time --fork']);
    const [command = ''] = /unshare.*/.exec(found[0] ?? '') ?? [];
    const again = bench.target('sh', ['-c', `exec ${command} sleep 600`]);
    const pid = await childOf(again.pid);
    await runs(pid, 'sleep');
    expect(remediesOf(pid)).toEqual([]);
    process.kill(pid, 'SIGKILL');
  });

  it('pipes of somebody out of sight: COMMAND with files', async (context) => {
    if (!existsSync('/usr/bin/perl')) context.skip('no perl');
    // Its child, which dies with it (prctl(2)), holds both ends: outside of the pid namespace that
    // the shell is in.
    const script = `
      use POSIX; pipe(my $r, my $w); dup2(fileno $r, 7); dup2(fileno $w, 8);
      fork or do { syscall 157, 1, 9; open STDIN, '<', '/dev/null'; sleep 600; exit };
      exec @ARGV;`;
    const space = ['unshare', '--pid', '--fork', '--mount-proc'];
    const remediesWith = async (words: string) => {
      const shell = shellBehind('perl', '-e', script, '--', ...space);
      await shell.run('exec 5<&7 6>&8 7<&- 8>&-');
      const line = `sh -c 'exec sleep 600 ${words} 5<&- 6>&- 3>&-' ${quiet} 3>&- & echo $!`;
      const { out: pid } = await shell.run(line);
      await shell.run(`exec 5<&- 6>&-; until grep -q sleep /proc/${pid.trim()}/comm; do :; done`);
      const check = await shell.run(`ckpt check --json ${pid.trim()}`);
      shell.child.stdin?.end();
      return remedies(check.out);
    };
    for (const joined of ['<&5', '>&6', '8>&6']) {
      const found = await remediesWith(joined);
      expect(found).toEqual([expect.stringMatching(/COMMAND \S/)]);
      const redirection = /COMMAND (.*)$/.exec(found[0] ?? '')?.[1] ?? '';
      expect(await remediesWith(`${joined} ${redirection}`)).toEqual([]);
    }
  });

  it('files in memory that may not be executed: sysctl', async (context) => {
    const target = bench.target('sleep', ['600']);
    const image = bench.path('memfd.ckpt');
    expect(bench.run('checkpoint', '--kill', '-o', image, String(target.pid)).status).toBe(0);
    await target.ended;
    // The setting is that of a pid namespace.
    const shell = shellBehind('unshare', '--pid', '--fork', '--mount-proc');
    const set = await shell.run('echo 2 > /proc/sys/vm/memfd_noexec');
    if (set.status !== 0) context.skip('vm.memfd_noexec cannot be set here');
    const refused = await shell.run(`ckpt restart --detach --json ${image}`);
    expect(refused.status).toBe(1);
    const { message } = JSON.parse(refused.out) as { message: string };
    const remedy = /allow it with: (sysctl [\w.=]+)/.exec(message)?.[1] ?? '';
    expect(remedy).not.toBe('');
    expect(await shell.run(remedy)).toMatchObject({ status: 0 });
    const back = await shell.run(`ckpt restart --detach ${image}`);
    expect(back).toEqual({ status: 0, out: `${target.pid}\n` });
    // Everybody goes with the first process of the namespace.
    shell.child.stdin?.end();
    await shell.ended;
  });

  it('no /proc: mount', async () => {
    const shell = shellBehind('unshare', '--mount', '--propagation', 'private');
    await shell.run('umount -l /proc');
    const without = await shell.run('ckpt check');
    expect(without.status).toBe(1);
    const remedy = /mount -t proc proc \/proc/.exec(without.out)?.[0] ?? '';
    expect(remedy, without.out).not.toBe('');
    expect(await shell.run(remedy)).toMatchObject({ status: 0 });
    expect(await shell.run('ckpt check')).toMatchObject({ status: 0 });
    shell.child.stdin?.end();
  });
});

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  ftruncateSync,
  openSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goldenPath } from './testing/golden.ts';
import { Bench, bin } from './testing/live.ts';

const bench = new Bench();
let image = '';

/** Lets nothing native be loaded into a process, and says so as `how` tells. */
const noNative = (how: string) => `
process.dlopen = () => { throw new Error('native code is forbidden'); };
const { Module } = require('node:module');
const load = Module._load;
Module._load = (name, ...rest) => {
  if (name !== 'koffi') return load(name, ...rest);
  ${how}
};
`;

/** What may go wrong with it, and words that tell. */
const withoutNative = [
  ["throw new Error('koffi is forbidden');", /koffi could not be loaded \(koffi is forbidden\)/],
  [
    "return require('./koffi-gone');",
    /could not be loaded \(Cannot find module '.\/koffi-gone'\); i/,
  ],
  ['return load(name, ...rest);', /koffi could not be loaded \(.*npm install/],
  ["return { load() { throw new Error('no libc'); } };", /could not be loaded \(no libc\)/],
] as const;

/** Another machine, as far as Node tells. */
const another = `
Object.defineProperty(process, 'platform', { value: 'darwin' });
Object.defineProperty(process, 'arch', { value: 'arm64' });
`;

/** Leaves the most memory the process had, KiB. */
const measure = `
process.on('exit', () => {
  require('node:fs').writeFileSync('rss', String(process.resourceUsage().maxRSS));
});
`;

beforeAll(() => {
  chmodSync(bench.folder, 0o755);
  // Its output is its own: one that only root could have opened takes --trust-image.
  writeFileSync(bench.path('output'), '');
  chownSync(bench.path('output'), 65534, 65534);
  const sleeper = bench.target('sleep', ['600'], { uid: 65534, gid: 65534 });
  image = bench.path('job.ckpt');
  expect(bench.run('checkpoint', '--kill', '-o', image, String(sleeper.pid)).status).toBe(0);
  writeFileSync(bench.path('no-native.cjs'), noNative(withoutNative[0][0]));
  chmodSync(image, 0o644);
});

afterAll(() => {
  bench.close();
});

/** As nobody, and without native code. */
const bare = (...args: string[]) =>
  bench.runAs(
    { uid: 65534, env: { NODE_OPTIONS: `--require ${bench.path('no-native.cjs')}` } },
    ...args,
  );

/** As root, with a script that runs before the command. */
const prepared = (script: string, ...args: string[]) => {
  writeFileSync(bench.path('before.cjs'), script);
  return bench.runAs({ env: { NODE_OPTIONS: `--require ${bench.path('before.cjs')}` } }, ...args);
};

/** All that needs native code. */
const commands = () => [
  ['check', '--json', String(process.pid)],
  ['checkpoint', '--json', '-o', 'never.ckpt', String(process.pid)],
  ['restart', '--json', image],
  ['restart', '--json', goldenPath('valid-minimal.ckpt')],
];

describe('without native code', () => {
  it.each(withoutNative)('every command says so: %s', (how, pattern) => {
    // Where it is not there at all, in each of them; the others differ in what they say.
    const all = commands();
    for (const words of how === withoutNative[0][0] ? all : all.slice(2, 3)) {
      const { status, stdout, stderr } = prepared(noNative(how), ...words);
      expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
      const told = JSON.parse(stderr) as { errno: string; message: string };
      expect([words[0], told.errno]).toEqual([words[0], 'ENOSYS']);
      expect(told.message).toMatch(pattern);
    }
    const { status, stdout } = prepared(noNative(how), 'check');
    expect(status).toBe(1);
    expect(stdout).toMatch(/native calls +no/);
    expect(existsSync(bench.path('never.ckpt'))).toBe(false);
  });

  it('or on another system, every command says so, and images are read', () => {
    for (const words of commands()) {
      const { status, stderr } = prepared(another, ...words);
      const told = JSON.parse(stderr) as { errno: string; message: string };
      expect([words[0], status, told.errno]).toEqual([words[0], 1, 'ENOSYS']);
      expect(told.message).toMatch(/darwin on arm64.*Linux on x86-64.*images can be read/);
    }
    expect(prepared(another, 'check').stdout).toMatch(/this is darwin on arm64/);
    expect(prepared(another, 'inspect', image).status).toBe(0);
  });
});

describe('reading an image', () => {
  it('takes neither native code nor privilege', () => {
    expect(bare('inspect', image)).toMatchObject({ status: 0, stderr: '' });
    expect(bare('verify', image).stdout).toMatch(/: ok, revision 100/);
    const dry = bare('restart', '--dry-run', image);
    expect(dry).toMatchObject({ status: 0 });
    expect(JSON.parse(dry.stdout)).toHaveProperty('steps');
    expect(bare('restart', image)).toMatchObject({ status: 1 });
  });

  it('takes little memory however big it is', () => {
    const big = bench.path('big.ckpt');
    const base = readFileSync(goldenPath('valid-minimal.ckpt'));
    const [tail, length] = [base.length - 16, 1 << 30];
    const fd = openSync(big, 'w');
    writeSync(fd, base.subarray(0, tail));
    const header = Buffer.alloc(8);
    header.writeUInt32LE(806, 0);
    header.writeUInt32LE(length, 4);
    writeSync(fd, header, 0, 8, tail);
    ftruncateSync(fd, tail + length);
    writeSync(fd, base, tail, 16, tail + length);
    closeSync(fd);
    writeFileSync(bench.path('rss.cjs'), measure);
    const NODE_OPTIONS = `--require ${bench.path('rss.cjs')}`;
    const { status, stdout } = bench.runAs({ env: { NODE_OPTIONS } }, 'inspect', big);
    expect(status).toBe(0);
    expect(stdout).toMatch(/1\.0 GiB/);
    expect(Number(bench.read('rss'))).toBeLessThan(200_000);
  });

  it('that nobody reads on with ends quietly', () => {
    const words = ['-c', `"$0" "$1" "$2" "$3"; echo $? > "$4"`, process.execPath, bin];
    for (const command of ['inspect', 'verify', '--help']) {
      const { stderr } = spawnSync('sh', [
        ...['-c', `("$0" "$@"; echo $? > "${bench.path('status')}") | head -c 1 > /dev/null`],
        ...[process.execPath, bin, command, ...(command === '--help' ? [] : [image])],
      ]);
      expect(stderr.toString()).toBe('');
    }
    const closed = spawnSync('sh', [...words, 'inspect', image, bench.path('full')], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    expect(closed.stderr.toString()).toBe('');
  });

  it('says when there is no room for what it prints', () => {
    const words = ['-c', '"$0" "$1" inspect "$2" > /dev/full', process.execPath, bin, image];
    const { status, stderr } = spawnSync('sh', words, { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({
      ...{ status: 1, stderr: 'ckpt: writing to standard output failed with ENOSPC\n' },
    });
  });
});

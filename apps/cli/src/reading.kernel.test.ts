import { spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Bench, bin } from './testing/live.ts';

const bench = new Bench();
let image = '';

/** Lets nothing native be loaded into a process. */
const noNative = `
process.dlopen = () => { throw new Error('native code is forbidden'); };
const { Module } = require('node:module');
const load = Module._load;
Module._load = (name, ...rest) => {
  if (name === 'koffi') throw new Error('koffi is forbidden');
  return load(name, ...rest);
};
`;

beforeAll(() => {
  const sleeper = bench.target('sleep', ['600']);
  image = bench.path('job.ckpt');
  expect(bench.run('checkpoint', '--kill', '-o', image, String(sleeper.pid)).status).toBe(0);
  writeFileSync(bench.path('no-native.cjs'), noNative);
  chmodSync(bench.folder, 0o755);
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

describe('reading an image', () => {
  it('takes neither native code nor privilege', () => {
    expect(bare('check').stdout).toMatch(/native calls +no/);
    expect(bare('inspect', image)).toMatchObject({ status: 0, stderr: '' });
    expect(bare('verify', image).stdout).toMatch(/: ok, revision 100/);
    const dry = bare('restart', '--dry-run', image);
    expect(dry).toMatchObject({ status: 0 });
    expect(JSON.parse(dry.stdout)).toHaveProperty('steps');
    expect(bare('restart', image)).toMatchObject({ status: 1 });
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

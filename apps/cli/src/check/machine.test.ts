import { CkptError } from '@ckpt/format';
import { createReader } from '@ckpt/linux/reader';
import { describe, expect, it } from 'vitest';
import { captureCli } from '../testing/capture.ts';
import { demo } from '../demo/demo.ts';
import { abilities, choosesPids, missing } from './machine.ts';

const linux = { platform: 'linux', arch: 'x64' };
const never = () => {
  throw new Error('there is nothing to try');
};

describe('a machine', () => {
  it.each([
    [{ platform: 'darwin', arch: 'x64' }, /darwin on x64/],
    [{ platform: 'linux', arch: 'arm64' }, /linux on arm64/],
  ])('that is %j can read images, no more', (platform, pattern) => {
    const found = missing(abilities(platform, never));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(pattern);
  });

  it('where ptrace is forbidden says so', () => {
    const found = abilities(linux, () => {
      throw new CkptError('EPERM', 'ptrace of process 7: operation not permitted');
    });
    expect(missing(found)).toEqual(['ptrace: ptrace of process 7: operation not permitted']);
    const without = abilities(linux, () => {
      throw new CkptError('ENOSYS', 'no native calls here');
    });
    expect(missing(without)).toEqual(['native calls: no native calls here']);
  });

  it('with an old kernel is too old', () => {
    const system = { ...createReader().system(), kernel: [5, 12, 19] as const };
    expect(missing(abilities(linux, () => system))).toHaveLength(1);
    const young = { ...system, kernel: [5, 13, 0] as const };
    const found = abilities(linux, () => young);
    expect(missing(found)).toEqual([]);
    expect(choosesPids(found)).toBe(true);
  });

  it('that cannot choose pids does so in a namespace, or not at all', () => {
    const system = { ...createReader().system(), choosesPids: false };
    const found = abilities(linux, () => system);
    expect(choosesPids(found)).toBe(false);
    expect(found.find(({ name }) => name === 'choosing pids')?.meaning).toMatch(/namespaces/);
  });
});

describe('ckpt demo', () => {
  it('says what is missing where it cannot run', async () => {
    let said = '';
    const cli = captureCli(never, (text) => (said += text));
    await demo(cli, {}, { platform: 'win32', arch: 'arm64' });
    expect(cli.status).toBe(1);
    expect(said).toMatch(/^ckpt: the demonstration cannot run here.*\n {2}Linux on x86-64.*win32/);
    said = '';
    await demo(cli, { json: true }, { platform: 'win32', arch: 'arm64' });
    expect(JSON.parse(said)).toMatchObject({ ok: false, missing: [expect.any(String)] });
  });
});

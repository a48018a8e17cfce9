import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { capture } from '../testing/capture.ts';
import { goldenPath, goldenRows } from '../testing/golden.ts';

const folder = mkdtempSync(join(tmpdir(), 'ckpt-verify-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function place(name: string, bytes: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

interface Verdict {
  readonly file: string;
  readonly ok: boolean;
  readonly errno: string | null;
  readonly pos: number | null;
  readonly type: string | null;
  readonly field: string | null;
  readonly message: string | null;
}

async function verdicts(...args: string[]): Promise<{ status: number; found: Verdict[] }> {
  const { status, stdout } = await capture('verify', '--json', ...args);
  const lines = stdout.trimEnd().split('\n');
  return { status, found: lines.map((line) => JSON.parse(line) as Verdict) };
}

describe('ckpt verify', () => {
  it.each(goldenRows)('says of $file what is expected', async ({ file, valid, errno, pos }) => {
    const path = goldenPath(file);
    const { status, found } = await verdicts('--kernel', '2.6.37', path);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ file: path, ok: valid, errno, pos });
    expect(Object.keys(found[0] ?? {})).toEqual([
      ...['file', 'ok', 'errno', 'pos', 'type', 'field', 'message'],
    ]);
    expect(status).toBe(valid ? 0 : 1);
    const human = await capture('verify', '--kernel', '2.6.37', path);
    expect(human.status).toBe(status);
    expect(human.stdout).toContain(valid ? `${path}: ok` : `${path}: ${errno ?? ''}`);
  });

  it('goes on after a bad image, and fails for it', async () => {
    const bad = goldenPath('magic-zero.ckpt');
    const good = goldenPath('valid-minimal.ckpt');
    const { status, found } = await verdicts(bad, good, bad);
    expect(found.map(({ ok }) => ok)).toEqual([false, true, false]);
    expect(status).toBe(1);
  });

  it('names record and field', async () => {
    const { found } = await verdicts(goldenPath('tail-head-magic.ckpt'));
    expect(found[0]).toMatchObject({ type: 'TAIL', field: 'magic', pos: 363 });
  });

  it('checks the version of the kernel only when it is told', async () => {
    const minor = goldenPath('minor.ckpt');
    expect((await capture('verify', minor)).status).toBe(0);
    expect((await capture('verify', '--kernel', '2.6.37', minor)).status).toBe(1);
    expect((await capture('verify', '--kernel', '2.7.37', minor)).status).toBe(0);
  });

  it('says of what is no image why', async () => {
    const empty = place('empty', '');
    const paths = [empty, folder, join(folder, 'none'), '/dev/zero', '/dev/null'];
    const { status, found } = await verdicts(...paths);
    const errnos = ['EPIPE', 'EISDIR', 'ENOENT', 'EINVAL', 'EPIPE'];
    expect(found.map(({ errno }) => errno)).toEqual(errnos);
    expect(found.map(({ pos }) => pos)).toEqual([0, null, null, 8, 0]);
    expect(status).toBe(1);
  });

  it('prints nothing that a terminal would obey', async () => {
    const bytes = readFileSync(goldenPath('error-at-machine.ckpt'));
    const at = bytes.indexOf('no space');
    bytes.write('\x1b]0;x\x07', at);
    const path = place('evil\x1b[31m\n.ckpt', bytes);
    const { stdout } = await capture('verify', path);
    expect(stdout).toMatch(/evil\\x1b\[31m\\n\.ckpt: EIO/);
    expect(stdout).toContain('\\x1b]0;x\\x07');
    expect([...stdout.matchAll(/[^\x20-\x7e\n]/g)]).toEqual([]);
  });

  it('appends a line for each defect to the log, which only its owner may read', async () => {
    const log = join(folder, 'log');
    const bad = goldenPath('tail-head-magic.ckpt');
    await capture('verify', '-l', log, bad, goldenPath('valid-minimal.ckpt'));
    await capture('verify', '-l', log, goldenPath('trunc-202.ckpt'));
    const lines = readFileSync(log, 'utf8').trimEnd().split('\n');
    expect(lines.filter((line) => line.startsWith('[err -22][pos 363]'))).toHaveLength(1);
    expect(lines.filter((line) => line.startsWith('[err -32][pos 202]'))).toHaveLength(1);
    expect(statSync(log).mode & 0o777).toBe(0o600);
    const failed = await capture('verify', '-l', folder, bad);
    expect(failed).toMatchObject({ status: 1, stdout: '' });
    expect(failed.stderr).toMatch(/EISDIR: opening the log/);
  });

  it('prints debug lines of the classes that are wanted', async () => {
    const image = goldenPath('valid-minimal.ckpt');
    const all = await capture('verify', '--debug', 'all', image);
    const rw = await capture('verify', '--debug', 'CKPT_DRW', image);
    const none = await capture('verify', image);
    const count = (text: string) => text.split('\n').length;
    expect(count(rw.stderr)).toBeGreaterThan(count(none.stderr));
    expect(count(all.stderr)).toBeGreaterThanOrEqual(count(rw.stderr));
    expect(none.stderr).toBe('');
  });
});

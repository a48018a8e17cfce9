import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { exitStatus, OutputError } from '../cli.ts';
import { run } from '../program.ts';
import { capture, captureCli } from '../testing/capture.ts';
import { goldenPath, goldenRows } from '../testing/golden.ts';

const folder = mkdtempSync(join(tmpdir(), 'ckpt-inspect-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const minimal = readFileSync(goldenPath('valid-minimal.ckpt'));

function place(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

interface Field {
  readonly value: number | string;
  readonly text: string;
}
interface Rec {
  readonly position: number;
  readonly length: number;
  readonly name: string;
  readonly depth: number;
  readonly fields: Readonly<Record<string, Field>>;
  readonly elements?: readonly Readonly<Record<string, Field>>[];
  readonly text?: string;
}
interface Listed {
  readonly file: string;
  readonly records: readonly Rec[];
  readonly revision: number;
  readonly length: number;
  readonly whole: boolean;
  readonly followed: boolean;
  readonly error?: { readonly errno: string; readonly pos: number };
}

async function listed(path: string): Promise<Listed & { status: number }> {
  const { status, stdout, stderr } = await capture('inspect', '--json', path);
  expect(stderr).toBe('');
  return { status, ...(JSON.parse(stdout) as Listed) };
}

describe('ckpt inspect', () => {
  it('shows a base image as it is', async () => {
    const { status, stdout } = await capture('inspect', goldenPath('valid-minimal.ckpt'));
    expect(status).toBe(0);
    expect(stdout.slice(stdout.indexOf('\n') + 1)).toMatchSnapshot();
    const verbose = await capture('inspect', '-v', goldenPath('valid-minimal.ckpt'));
    expect(verbose.stdout).toMatch(/exit_signal +SIGCHLD {2}\S/);
  });

  it('tells programs the same', async () => {
    const { records, ...rest } = await listed(goldenPath('valid-minimal.ckpt'));
    expect(rest).toMatchObject({ status: 0, revision: 3, length: 363, whole: true });
    expect(records.map(({ name }) => name)).toEqual([
      ...['HEADER', 'BUFFER', 'BUFFER', 'BUFFER', 'CONTAINER', 'TASK', 'STRING', 'TAIL'],
    ]);
    const ends = records.map(({ position, length }) => position + length);
    expect(records.map(({ position }) => position)).toEqual([0, ...ends.slice(0, -1)]);
    expect(ends.at(-1)).toBe(363);
    expect(records[1]).toMatchObject({ depth: 1, text: '"2.6.37"' });
    expect(records[5]?.fields.exit_signal).toEqual({ value: 17, text: 'SIGCHLD' });
    // Of 64 bits: no reader may round it.
    expect(records[7]?.fields.magic).toEqual({
      value: 0x2d2a0cc0deef00n.toString(),
      text: '0x2d2a0cc0deef00',
    });
  });

  it('shows what is there before every possible end, then says what is wrong', async () => {
    const whole = await listed(goldenPath('valid-minimal.ckpt'));
    for (let end = 0; end < minimal.length; end++) {
      const path = place('cut', minimal.subarray(0, end));
      const cut = await listed(path);
      expect(cut.status).toBe(1);
      expect(cut.whole).toBe(false);
      expect(cut.error?.errno).toBe('EPIPE');
      const headers = whole.records.filter(({ position }) => position + 8 <= end);
      expect(cut.records.map(({ name }) => name)).toEqual(headers.map(({ name }) => name));
      const complete = whole.records.filter(({ position, length }) => position + length <= end);
      expect(cut.records.slice(0, complete.length)).toEqual(complete);
    }
    const text = await capture('inspect', place('cut', minimal.subarray(0, 330)));
    expect(text.stdout).toMatch(/TASK.*40 B/);
    expect(text.stderr).toMatch(/^ckpt: EPIPE at 0x143/);
    expect(text.status).toBe(1);
  });

  it.each(goldenRows)('survives $file', async ({ file, valid }) => {
    const found = await listed(goldenPath(file));
    expect(found.status).toBe(found.whole ? 0 : 1);
    if (valid) expect(found.whole).toBe(true);
  });

  it('says of what is no image that it is none', async () => {
    const script = await capture('inspect', goldenPath('shell-script.ckpt'));
    expect(script.status).toBe(1);
    expect(script.stderr).toMatch(/EINVAL.*no checkpoint image/);
    expect((await capture('inspect', folder)).stderr).toMatch(/EISDIR/);
    expect((await capture('inspect', '/dev/null')).stderr).toMatch(/EPIPE/);
    const none = await capture('inspect', '--json', join(folder, 'none'));
    expect(none).toMatchObject({ status: 1, stdout: '' });
    expect(JSON.parse(none.stderr)).toMatchObject({ ok: false, errno: 'ENOENT', pos: null });
  });

  it('says that something follows', async () => {
    expect(await listed(goldenPath('valid-two-images.ckpt'))).toMatchObject({
      ...{ length: 363, whole: true, followed: true },
    });
    expect((await listed(goldenPath('valid-minimal.ckpt'))).followed).toBe(false);
  });

  it('prints nothing that a terminal would obey', async () => {
    const evil = Buffer.from(minimal);
    evil.write('\x1b[2J\x9b\u202e"\\', evil.indexOf('golden'), 'utf8');
    const { stdout } = await capture('inspect', place('evil\x1b[31m', evil));
    expect([...stdout.matchAll(/[^\x20-\x7e\n]/g)]).toEqual([]);
    expect(stdout).toContain('"\\x1b[2J\\x9b\\u{202e}\\"\\\\"');
  });

  it('ends quietly when nobody reads on', async () => {
    let lines = 0;
    let said = '';
    const cli = captureCli(
      () => {
        if (++lines === 3) throw new OutputError('EPIPE', undefined);
      },
      (text) => (said += text),
    );
    expect(await run(['inspect', goldenPath('valid-minimal.ckpt')], cli)).toBe(
      exitStatus.brokenPipe,
    );
    expect({ lines, said }).toEqual({ lines: 3, said: '' });
  });

  it('says when its output has no room', async () => {
    let said = '';
    const cli = captureCli(
      () => {
        throw new OutputError('ENOSPC', undefined);
      },
      (text) => (said += text),
    );
    expect(await run(['verify', goldenPath('valid-minimal.ckpt')], cli)).toBe(1);
    expect(said).toMatch(/standard output.*ENOSPC/);
  });
});

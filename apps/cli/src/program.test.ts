import { describe, expect, it } from 'vitest';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { capture } from './testing/capture.ts';

const commands = ['checkpoint', 'restart', 'inspect', 'verify', 'check', 'demo'];

describe('ckpt', () => {
  it('explains itself', async () => {
    const { status, stdout, stderr } = await capture('--help');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatchSnapshot();
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });

  it.each(commands)('explains %s', async (command) => {
    const { status, stdout } = await capture(command, '--help');
    expect(status).toBe(0);
    expect(stdout).toMatchSnapshot();
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
    expect((await capture('help', command)).stdout).toBe(stdout);
  });

  it('has a version', async () => {
    const manifest = readFileSync(join(import.meta.dirname, '../package.json'), 'utf8');
    const { version } = JSON.parse(manifest) as { version: string };
    expect(await capture('--version')).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('explains itself to who says nothing, and fails', async () => {
    const { status, stdout, stderr } = await capture();
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^Usage: ckpt/);
  });

  it.each([
    [['frobnicate'], /unknown command/],
    [['chekpoint', '1'], /Did you mean checkpoint/],
    [['verify'], /missing required argument/],
    [['verify', '--nonsense', 'x'], /unknown option/],
    [['verify', '--kernel', 'new', 'x'], /version such as/],
    [['verify', '--debug', 'base,all,io', 'x'], /Classes are base, sys, rw, all/],
    [['checkpoint', 'abc'], /whole number/],
    [['checkpoint', '0'], /whole number/],
    [['checkpoint', '-5'], /unknown option|whole number/],
    [['checkpoint', '--revision', '6', '1'], /Allowed choices are 3, 100/],
    [['checkpoint', '--revision', '3', '--kill', '1'], /holds no program/],
    [['checkpoint', '--revision', '3', '--verify', '1'], /nothing to --verify/],
    [['checkpoint', '--deadline', '0', '1'], /whole number/],
    [['verify', '--map-path', 'a=b', 'x'], /OLD=NEW/],
    [['restart', 'a', '-i', 'b'], /named twice/],
    [['restart', '--text', 'a'], /--text goes with --dry-run/],
    [['check', '1', '2'], /too many arguments/],
  ])('refuses %j as usage', async (args, pattern) => {
    const { status, stdout, stderr } = await capture(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^ckpt: /);
    expect(stderr).toMatch(pattern);
    const json = await capture(...args, '--json');
    expect(json).toMatchObject({ status: 2, stdout: '' });
    expect(JSON.parse(json.stderr)).toMatchObject({ ok: false, errno: null });
  });
});

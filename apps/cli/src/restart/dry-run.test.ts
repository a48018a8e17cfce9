import { describe, expect, it } from 'vitest';
import { capture } from '../testing/capture.ts';
import { goldenPath } from '../testing/golden.ts';

const image = goldenPath('valid-minimal.ckpt');

describe('ckpt restart --dry-run', () => {
  it('prints the plan as JSON', async () => {
    const { status, stdout, stderr } = await capture('restart', '--dry-run', image);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const plan = JSON.parse(stdout) as { steps: { op: string }[]; notes: string[] };
    expect(plan.steps.map(({ op }) => op)).toContain('spawn');
    expect(plan.notes.join()).toMatch(/holds no program/);
  });

  it('prints the plan for people', async () => {
    const { status, stdout } = await capture('restart', '--dry-run', '--text', '-i', image);
    expect(status).toBe(0);
    expect(stdout).toMatch(/make process of any pid/);
    expect(stdout).toMatch(/memfd_create\("ckpt"/);
  });

  it('refuses what a restart would refuse', async () => {
    const bad = await capture('restart', '--dry-run', '--json', goldenPath('trunc-202.ckpt'));
    expect(bad).toMatchObject({ status: 1, stdout: '' });
    expect(JSON.parse(bad.stderr)).toMatchObject({ ok: false, errno: 'EPIPE', pos: 202 });
  });
});

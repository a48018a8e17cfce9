import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { run } from './support/run.ts';
import { top } from './support/tree.ts';

it('a fresh clone answers `npm start`, and then has its commands at the top', (context) => {
  if (!existsSync(join(top, '.git'))) context.skip('not a git repository: nothing to clone');
  const place = mkdtempSync(join(tmpdir(), 'ckpt-clone-'));
  try {
    run(['git', 'clone', '--quiet', '--no-local', top, place]);
    const help = run(['npm', '--silent', 'start', '--', '--help'], { cwd: place });
    expect(help).toContain('Usage: ckpt');
    for (const command of ['ckpt', 'ckpt-fuzz']) {
      const binary = join(place, 'node_modules', '.bin', command);
      expect(run([binary, '--help'])).toContain(`Usage: ${command}`);
    }
    expect(run(['git', 'status', '--porcelain'], { cwd: place })).toBe('');
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
});

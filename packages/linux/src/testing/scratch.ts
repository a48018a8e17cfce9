import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

/** Names files in a folder that is gone when the tests of the file have run. */
export function scratch(): (name: string) => string {
  const folder = mkdtempSync(join(tmpdir(), 'ckpt-test-'));
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  return (name) => join(folder, name);
}

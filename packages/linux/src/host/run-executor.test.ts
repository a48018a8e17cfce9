import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { executorCode, stubCode } from './run-executor-code.ts';

/** Why the source cannot be assembled here; undefined when it can. */
function obstacle(): string | undefined {
  if (process.arch !== 'x64') return 'the assembler of this machine is not for x86-64';
  const found = ['as', 'objcopy'].every((tool) => spawnSync(tool, ['--version']).status === 0);
  return found ? undefined : 'as and objcopy (binutils) are not here';
}

test.for([
  { section: '.text', what: 'the executor', code: executorCode },
  { section: '.stub', what: 'the stub', code: stubCode },
])('the code of $what is what its source assembles to', ({ section, code }, { skip }) => {
  const reason = obstacle();
  if (reason !== undefined) {
    console.log(`not compared: ${reason}`);
    skip(reason);
  }
  const folder = mkdtempSync(join(tmpdir(), 'ckpt-executor-'));
  try {
    const object = join(folder, 'executor.o');
    const binary = join(folder, 'executor.bin');
    const source = fileURLToPath(new URL('run-executor.S', import.meta.url));
    execFileSync('as', ['--64', '--fatal-warnings', '-o', object, source]);
    execFileSync('objcopy', ['-O', 'binary', '-j', section, object, binary]);
    expect(Buffer.from(code).toString('hex')).toBe(readFileSync(binary).toString('hex'));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

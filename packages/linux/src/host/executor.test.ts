import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { executorCode, executorLabels, frameBias, frameLayout } from './executor-code.ts';

/** Why the source cannot be assembled here; undefined when it can. */
function obstacle(): string | undefined {
  if (process.arch !== 'x64') return 'the assembler of this machine is not for x86-64';
  const found = ['as', 'objcopy', 'nm'].every(
    (tool) => spawnSync(tool, ['--version']).status === 0,
  );
  return found ? undefined : 'as, objcopy and nm (binutils) are not here';
}

test('the code of the executor, its labels and its frame are what the source assembles to', ({
  skip,
}) => {
  const reason = obstacle();
  if (reason !== undefined) {
    console.log(`not compared: ${reason}`);
    skip(reason);
  }
  const folder = mkdtempSync(join(tmpdir(), 'ckpt-executor-'));
  try {
    const object = join(folder, 'executor.o');
    const binary = join(folder, 'executor.bin');
    const source = fileURLToPath(new URL('executor.S', import.meta.url));
    execFileSync('as', ['--64', '--fatal-warnings', '-o', object, source]);
    execFileSync('objcopy', ['-O', 'binary', '-j', '.text', object, binary]);
    expect(Buffer.from(executorCode).toString('hex')).toBe(readFileSync(binary).toString('hex'));

    const symbols = new Map<string, number>();
    for (const line of execFileSync('nm', [object], { encoding: 'utf8' }).trim().split('\n')) {
      const [value = '', , name = ''] = line.split(' ');
      symbols.set(name, Number(BigInt.asIntN(64, BigInt(`0x${value}`))));
    }
    for (const [name, offset] of Object.entries(executorLabels)) {
      expect([name, symbols.get(name)]).toEqual([name, offset]);
    }
    for (const [name, offset] of Object.entries(frameLayout)) {
      expect([name, symbols.get(name)]).toEqual([name, offset - frameBias]);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the entry stands two bytes behind the place where a call restarts', () => {
  expect(executorLabels.entered - executorLabels.restarted).toBe(2);
});

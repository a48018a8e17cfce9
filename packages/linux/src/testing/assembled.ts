import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Why sources cannot be assembled here, which is said; undefined when they can. */
export function cannotAssemble(): string | undefined {
  const tools = ['as', 'objcopy', 'nm'];
  const found = tools.every((tool) => spawnSync(tool, ['--version']).status === 0);
  if (process.arch === 'x64' && found) return undefined;
  const reason = found
    ? 'the assembler of this machine is not for x86-64'
    : 'as, objcopy and nm (binutils) are not here';
  console.log(`not compared: ${reason}`);
  return reason;
}

/** What a source of the host assembles to: the bytes of a section, in hex, and all symbols. */
export function assembled(
  source: string,
  section = '.text',
): { readonly code: string; readonly symbols: ReadonlyMap<string, number> } {
  const folder = mkdtempSync(join(tmpdir(), 'ckpt-assembled-'));
  try {
    const object = join(folder, 'code.o');
    const binary = join(folder, 'code.bin');
    const path = fileURLToPath(new URL(`../host/${source}`, import.meta.url));
    execFileSync('as', ['--64', '--fatal-warnings', '-o', object, path]);
    execFileSync('objcopy', ['-O', 'binary', '-j', section, object, binary]);
    const lines = execFileSync('nm', [object], { encoding: 'utf8' }).trim().split('\n');
    const symbols = lines.map((line): [string, number] => {
      const [value = '', , name = ''] = line.split(' ');
      return [name, Number(BigInt.asIntN(64, BigInt(`0x${value}`)))];
    });
    return { code: readFileSync(binary).toString('hex'), symbols: new Map(symbols) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

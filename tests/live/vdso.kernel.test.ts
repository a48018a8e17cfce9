import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { CKPT_HDR_BUFFER, crc32c, HeaderArch, MetaEnd } from '../../packages/format/src/index.ts';
import { vdsoFunctions } from '../../packages/linux/src/resources/vdso-symbols.ts';
import { Lab } from './lab.ts';

const lab = new Lab();
afterAll(() => {
  lab.close();
});

/** Where a record of that type is, from `from` on. */
function find(image: Buffer, type: number, from = 0): number {
  for (let at = 0; at < image.length; at += image.readUInt32LE(at + 4)) {
    if (at >= from && image.readUInt32LE(at) === type) return at;
  }
  throw new Error(`there is no record ${String(type)}`);
}

/** An image whose vdso is another's: checksums are made again. */
function altered(name: string, change: (vdso: Buffer) => void): string {
  const image = readFileSync(lab.path(name));
  const arch = find(image, HeaderArch.type);
  const at = find(image, CKPT_HDR_BUFFER, arch);
  const vdso = image.subarray(at + 8, at + image.readUInt32LE(at + 4));
  change(vdso);
  const { fields } = HeaderArch;
  const offset = fields.find((field) => field.name === 'vdso_hash')?.offset ?? 0;
  image.writeUInt32LE(crc32c(vdso), arch + offset);
  const end = find(image, MetaEnd.type);
  image.writeUInt32LE(crc32c(image.subarray(0, end)), end + 20);
  writeFileSync(lab.path(`altered-${name}`), image);
  return `altered-${name}`;
}

/** Code that only traps: what still works was led elsewhere. */
function trapping(vdso: Buffer): void {
  for (const { offset, size } of vdsoFunctions(vdso)) vdso.fill(0xcc, offset, offset + size);
}

function rename(vdso: Buffer, name: string): void {
  for (let at = vdso.indexOf(name); at >= 0; at = vdso.indexOf(name, at)) vdso.write('X', at);
}

const vdsoOf = (pid: number): string =>
  /^.*\[vdso\]$/m.exec(readFileSync(`/proc/${String(pid)}/maps`, 'latin1'))?.[0] ?? '';

test('a program goes on under another vdso, and so does a checkpoint of that', async () => {
  const program = lab.start(lab.compile('vdso'));
  await program.saw(/^20$/m);
  const place = vdsoOf(program.pid);
  lab.good('checkpoint', '--kill', '-o', 'one.ckpt', String(program.pid));
  await program.gone();
  for (const [index, name] of ['one.ckpt', 'two.ckpt'].entries()) {
    const image = altered(name, trapping);
    expect(lab.good('verify', image).stdout).toMatch(/led to this one's/);
    const said = program.text().length;
    lab.good('restart', '--detach', image);
    program.restarted();
    expect(vdsoOf(program.pid)).not.toBe(place);
    await program.saw(/(\n\d+){20}\n/, said);
    if (index > 0) continue;
    lab.good('checkpoint', '--kill', '-o', 'two.ckpt', String(program.pid));
    await program.gone();
  }
  expect(program.text()).not.toMatch(/BAD/);
  const lines = program.lines().map(Number);
  expect(lines).toEqual(lines.map((_, index) => index + 1));
  program.kill();
});

test('a vdso that this one cannot stand in for is refused by name', async () => {
  const program = lab.start(lab.compile('vdso'));
  await program.saw(/^5$/m);
  lab.good('checkpoint', '--kill', '-o', 'named.ckpt', String(program.pid));
  await program.gone();
  const cases = [
    [
      (vdso: Buffer) => {
        rename(vdso, 'getcpu');
      },
      /ENOSYS.*HEADER_ARCH.*Xetcpu/,
    ],
    [(vdso: Buffer) => vdso.fill(0, 0, 4), /ENOEXEC.*HEADER_ARCH.*no ELF image/],
  ] as const;
  for (const [change, sentence] of cases) {
    const image = altered('named.ckpt', change);
    for (const command of ['verify', 'restart']) {
      const { status, stdout, stderr } = lab.ckpt(command, image);
      expect({ command, status }).toEqual({ command, status: 1 });
      expect(stdout + stderr).toMatch(sentence);
    }
  }
  expect(program.state()).toBeUndefined();
});

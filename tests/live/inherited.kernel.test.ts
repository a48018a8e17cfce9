import { closeSync, existsSync, openSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { Lab, type Program } from './lab.ts';

const lab = new Lab();
afterAll(() => {
  lab.close();
});

async function until(what: string, is: () => boolean): Promise<void> {
  const end = Date.now() + 20_000;
  while (!is()) {
    if (Date.now() > end) throw new Error(`not in time: ${what}`);
    await delay(5);
  }
}

const linesOf = (name: string): string[] => {
  const path = lab.path(name);
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [];
};

/** Waits for some more lines. */
async function goesOn(name: string): Promise<void> {
  const from = linesOf(name).length;
  await until(`more of ${name}`, () => linesOf(name).length > from + 3);
}

/** What was counted, without a gap from 0 on, or from the first on. */
function whole(name: string): void {
  const numbers = linesOf(name).map(Number);
  const first = numbers[0] ?? 0;
  expect(numbers).toEqual(numbers.map((_, index) => first + index));
}

interface Pipeline {
  readonly name: string;
  readonly writer: Program;
  readonly reader: Program;
}

/** A shell runs `ends write | ends read > NAME`, and holds no end itself. */
async function pipeline(name: string): Promise<Pipeline> {
  const command = `"$0" write 2>/dev/null </dev/null | "$0" read > ${name} & wait`;
  const shell = lab.start('sh', ['-c', command, lab.compile('ends')]);
  await goesOn(name);
  const children = (what: string): Program => {
    const { stdout } = lab.run('pgrep', ['-P', String(shell.pid), '-f', `ends ${what}`]);
    return lab.adopt(Number(stdout.trim()), lab.path(name));
  };
  return { name, writer: children('write'), reader: children('read') };
}

const outputOf = ({ pid }: Program): string => readlinkSync(`/proc/${String(pid)}/fd/1`);

describe('an inherited pipe, which leads to another process,', () => {
  test('is joined with it again; while it goes on neither notices', async () => {
    const { name, writer, reader } = await pipeline('joined.txt');
    const running = lab.good('checkpoint', '-o', 'running.ckpt', String(writer.pid));
    const { pid } = reader;
    expect(running.stderr).toContain(`descriptor 1: ${outputOf(writer)} leads to ${pid} (ends)`);
    expect(running.stderr).toContain(`${pid} (ends) reads an end of file`);
    await goesOn(name);
    // Somebody holds it meanwhile, as the note says.
    const held = openSync(`/proc/${String(writer.pid)}/fd/1`, 'r+');
    const before = outputOf(writer);
    await lab.cycle(writer, 'joined.ckpt');
    closeSync(held);
    expect(outputOf(writer)).toBe(before);
    await goesOn(name);
    whole(name);
    // The reader is the only one that has it now.
    writer.kill();
    await until('the end', () => linesOf(name).at(-1) === 'end');
  });

  test('is refused when that one is gone, unless told what to use', async () => {
    const { name, writer, reader } = await pipeline('gone.txt');
    lab.good('checkpoint', '--kill', '-o', 'gone.ckpt', String(writer.pid));
    await until('the end', () => linesOf(name).at(-1) === 'end');
    await Promise.all([writer.gone(), reader.gone()]);
    writer.restarted();
    for (const command of [['verify'], ['restart', '--detach']]) {
      const refused = lab.ckpt(...command, 'gone.ckpt');
      expect(refused.status).toBe(1);
      const said = refused.stdout + refused.stderr;
      expect(said).toMatch(/ENXIO.*descriptor 1 led to pipe \d+ of \d+ \(ends\), which is gone/s);
      expect(said).toContain('--fd 1=PATH');
    }
    expect(writer.alive()).toBe(false);
    const told = lab.good('restart', '--detach', '--fd', '1=new.txt', 'gone.ckpt');
    expect(told.stderr).toContain('note: descriptor 1 leads to');
    await goesOn('new.txt');
    whole('new.txt');
    writer.kill();
    await writer.gone();
    const size = linesOf('new.txt').length;
    const shell = ['-c', '"$@" 3>>new.txt', 'sh', process.execPath, lab.bin];
    const own = lab.run('sh', [...shell, 'restart', '--detach', '--fd', '1=3', 'gone.ckpt']);
    expect(own).toMatchObject({ status: 0 });
    await goesOn('new.txt');
    expect(linesOf('new.txt')[size]).toBe(linesOf('new.txt')[0]);
    writer.kill();
    await writer.gone();
  });

  test('joins nobody who has only the same number', async () => {
    const { writer, reader } = await pipeline('other.txt');
    const image = 'other.ckpt';
    const held = openSync(`/proc/${String(writer.pid)}/fd/1`, 'r+');
    lab.good('checkpoint', '--kill', '-o', image, String(writer.pid));
    await writer.gone();
    writer.restarted();
    reader.kill();
    await reader.gone();
    closeSync(held);
    expect(lab.ckpt('restart', '--detach', image).stderr).toMatch(/ENXIO/);
  });

  test('and one that reads goes on reading what was in it', async () => {
    const { name, writer, reader } = await pipeline('read.txt');
    const held = openSync(`/proc/${String(reader.pid)}/fd/0`, 'r+');
    await lab.cycle(reader, 'read.ckpt');
    closeSync(held);
    await goesOn(name);
    whole(name);
    writer.kill();
    await until('the end', () => linesOf(name).at(-1) === 'end');
  });

  test('what --fd names must be there', () => {
    for (const [option, pattern] of [
      ['77=/dev/null', /EBADF.*no descriptor 77/],
      ['1=999', /without a descriptor 999/],
      ['1', /N=PATH/],
      ['1=/', /EISDIR/],
      ['1=0', /EBADF.*not open for writing/],
    ] as const) {
      const done = lab.ckpt('restart', '--detach', '--fd', option, 'gone.ckpt');
      expect(done.stderr).toMatch(pattern);
      expect(done.status).toBeGreaterThan(0);
    }
  });
});

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { MemoryFile, decodeText } from '@ckpt/io';
import { describe, expect, it } from 'vitest';
import { createEngine, verifyImage } from './engine.ts';
import { caught } from './testing/caught.ts';
import { FakeHost } from './testing/fake-host.ts';

const folder = fileURLToPath(new URL('../../../golden/', import.meta.url));
const kernel = [2, 6, 37] as const;

interface Case {
  readonly file: string;
  readonly valid: boolean;
  readonly errno: string;
  readonly position: number;
  readonly log: string;
  readonly text: boolean;
}

const cases = readFileSync(`${folder}EXPECT.tsv`, 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line): Case => {
    const [file = '', verdict, errno = '', pos, , robust = '=', log = '-'] = line.split('\t');
    const better = /^(E\w+)@(\d+)(\+string)?$/.exec(robust);
    return {
      ...{ file, valid: verdict === 'valid', log, text: better?.[3] !== undefined },
      ...{ errno: better?.[1] ?? errno, position: Number(better?.[2] ?? pos) },
    };
  });

const read = (name: string): MemoryFile =>
  new MemoryFile(new Uint8Array(readFileSync(folder + name)));

describe('an image of an independent program', () => {
  it('is there', () => {
    expect(cases.length).toBeGreaterThan(60);
  });

  it.each(cases.filter(({ valid }) => valid))('$file is valid up to $position', (expected) => {
    const { length, revision } = verifyImage(read(expected.file), { kernel });
    expect({ length, revision }).toEqual({ length: expected.position, revision: 3 });
    const host = new FakeHost();
    expect(createEngine(host, { kernel }).doSysRestart(0, read(expected.file), 0)).toBe(0);
    expect(host.events).toEqual(['run', 'loaded']);
  });

  it.each(cases.filter(({ valid }) => !valid))('$file is $errno at $position', (expected) => {
    const error = caught(() => verifyImage(read(expected.file), { kernel }));
    expect({ code: error.code, position: error.position }).toEqual({
      code: expected.errno,
      position: expected.position,
    });
    if (expected.text) expect(error.sentence).toMatch(/: .+/);
  });

  it.each(cases.filter(({ valid }) => !valid))('$file is refused and logged once', (expected) => {
    const host = new FakeHost();
    const log = new MemoryFile();
    const image = read(expected.file);
    const error = caught(() => createEngine(host, { kernel }).restart(0, image, 0, log));
    expect(host.events).toEqual([]);
    const lines = decodeText(log.bytes).split('\n');
    expect(lines).toHaveLength(2);
    const text = expected.log === '-' ? '' : expected.log;
    const pattern = `^\\[err -${error.errno}\\]\\[pos ${expected.position}\\]\\[E @ \\w+:\\d+\\]${text}`;
    expect(lines[0]).toMatch(new RegExp(pattern));
  });

  it('of two in one file is followed by the other', () => {
    const file = read('valid-two-images.ckpt');
    const { position } = file;
    verifyImage(file, { kernel });
    expect([position, file.position]).toEqual([0, 363]);
    expect(verifyImage(file, { kernel }).length).toBe(363);
    expect(caught(() => verifyImage(file, { kernel })).code).toBe('EPIPE');
  });
});

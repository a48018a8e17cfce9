import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readBaseImage } from './base.ts';
import { crc32c } from './crc32c.ts';
import { Defect } from './cursor.ts';

const golden = new URL('../../../../golden/', import.meta.url);

interface Case {
  readonly file: string;
  readonly errno: string;
  readonly position: number;
}

/** What must be said of each image of an independent program. */
const cases = readFileSync(new URL('EXPECT.tsv', golden), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line): Case => {
    const [file = '', , base = '', pos, , robust = '='] = line.split('\t');
    const better = /^(E\w+)@(\d+)/.exec(robust);
    return { file, errno: better?.[1] ?? base, position: Number(better?.[2] ?? pos) };
  });

describe('the naive reader', () => {
  it('imports nothing but its own files', () => {
    const files = readdirSync(import.meta.dirname).filter((file) => !file.endsWith('.test.ts'));
    expect(files.length).toBeGreaterThan(3);
    for (const file of files) {
      const text = readFileSync(join(import.meta.dirname, file), 'utf8');
      const imported = [...text.matchAll(/\b(?:from|import)\s*\(?\s*'([^']+)'/g)];
      for (const [, from = ''] of imported)
        expect([file, from]).toEqual([file, expect.stringMatching(/^\.\/[\w-]+\.ts$/)]);
    }
  });

  it.each(cases)('says of $file: $errno at $position', ({ file, errno, position }) => {
    const bytes = new Uint8Array(readFileSync(new URL(file, golden)));
    const say = (): object => {
      try {
        const { length } = readBaseImage(bytes, [2, 6, 37]);
        return { errno: '0', position: length };
      } catch (error) {
        if (!(error instanceof Defect)) throw error;
        return { errno: error.errno, position: error.position };
      }
    };
    expect(say()).toEqual({ errno, position });
  });

  it('has the check value of CRC-32C', () => {
    expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Images made by an independent program, with what must be said of each: golden/README.md. */
const folder = join(import.meta.dirname, '../../../../golden');

export const goldenPath = (name: string): string => join(folder, name);

interface GoldenRow {
  readonly file: string;
  readonly valid: boolean;
  /** Name; null for a valid image. */
  readonly errno: string | null;
  /** Position in the image at which it is noticed; its length for a valid one. */
  readonly pos: number;
}

/** The rows of EXPECT.tsv. */
export const goldenRows: readonly GoldenRow[] = readFileSync(join(folder, 'EXPECT.tsv'), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => {
    const [file = '', verdict = '', ...rest] = line.split('\t');
    const [errno = '', pos = '', , robust = '='] = rest;
    const valid = verdict === 'valid';
    // "EIO@283+string": the answer to give where the base's is not.
    const better = /^(E\w+)@(\d+)/.exec(robust);
    const [, name = errno, at = pos] = better ?? [];
    return { file, valid, errno: valid ? null : name, pos: Number(at) };
  });

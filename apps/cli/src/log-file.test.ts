import {
  closeSync,
  linkSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { CkptError } from '@ckpt/format';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openLog } from './log-file.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ckpt-log-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const at = (name: string) => `${folder}/${name}`;

/** Errno of a log beside an image; undefined when it was opened. */
function refusal(log: string, image: string | number): string | undefined {
  try {
    openLog(log, [at('another'), image])?.close();
    return undefined;
  } catch (error) {
    if (error instanceof CkptError) return error.code;
    throw error;
  }
}

/** Names of the one file that is in the folder as x, or will be. */
function spellings(): readonly string[] {
  symlinkSync(folder, at('here'));
  symlinkSync('x', at('link'));
  symlinkSync(at('link'), at('chain'));
  return ['x', './x', `../${basename(folder)}/x`, 'here/x', 'link', 'chain'].map(at);
}

describe('a log', () => {
  it('is never the image, whatever the two are called, and nothing is made', () => {
    const names = spellings();
    const before = readdirSync(folder);
    for (const log of names) {
      for (const image of names) expect([log, image, refusal(log, image)][2]).toBe('EINVAL');
    }
    expect(readdirSync(folder)).toEqual(before);
  });

  it('is never an image that is there, and that keeps its bytes', () => {
    writeFileSync(at('x'), 'precious');
    linkSync(at('x'), at('hard'));
    const names = [...spellings(), at('hard')];
    for (const log of names) {
      for (const image of names) expect([log, image, refusal(log, image)][2]).toBe('EINVAL');
    }
    const fd = openSync(at('hard'), 'r');
    expect(refusal(at('x'), fd)).toBe('EINVAL');
    closeSync(fd);
    expect(readFileSync(at('x'), 'utf8')).toBe('precious');
  });

  it('is another file, or a device that keeps nothing', () => {
    writeFileSync(at('x'), '');
    expect(refusal(at('y'), at('x'))).toBeUndefined();
    expect(refusal(at('new/../z'), at('x'))).toBe('ENOENT');
    expect(refusal('/dev/null', '/dev/null')).toBeUndefined();
  });

  it('behind links that lead in a circle is what open(2) says', () => {
    symlinkSync('b', at('a'));
    symlinkSync('a', at('b'));
    expect(refusal(at('a'), at('x'))).toBe('ELOOP');
  });
});

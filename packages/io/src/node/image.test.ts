import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { refusal } from '../testing/files.ts';
import { createImage, openImage } from './image.ts';

let folder = '';
let path = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ckpt-io-'));
  path = join(folder, 'job.ckpt');
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const bytes = new TextEncoder().encode('image');

describe('a new image', () => {
  it('has its name only when it is whole, and is its owner’s alone', () => {
    const image = createImage(path);
    image.file.write(bytes);
    expect(existsSync(path)).toBe(false);
    const [beside] = readdirSync(folder);
    expect(statSync(join(folder, beside ?? '')).mode & 0o777).toBe(0o600);
    image.commit();
    image.abort();
    expect(readdirSync(folder)).toEqual(['job.ckpt']);
    expect(readFileSync(path, 'utf8')).toBe('image');
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('leaves nothing behind when it is given up', () => {
    const image = createImage(path);
    image.file.write(bytes);
    image.abort();
    image.abort();
    image.commit();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is never put over a file that is there', () => {
    writeFileSync(path, 'old');
    expect(refusal(() => createImage(path)).code).toBe('EEXIST');
    expect(readdirSync(folder)).toEqual(['job.ckpt']);
  });

  it('is never put over one that came meanwhile either', () => {
    const image = createImage(path);
    image.file.write(bytes);
    writeFileSync(path, 'other');
    expect(
      refusal(() => {
        image.commit();
      }).code,
    ).toBe('EEXIST');
    expect(readFileSync(path, 'utf8')).toBe('other');
    expect(readdirSync(folder)).toEqual(['job.ckpt']);
  });

  it('takes the place of another by force, when it is whole', () => {
    writeFileSync(path, 'old', { mode: 0o644 });
    const image = createImage(path, { force: true });
    image.file.write(bytes);
    expect(readFileSync(path, 'utf8')).toBe('old');
    image.commit();
    expect(readFileSync(path, 'utf8')).toBe('image');
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('goes where a symbolic link leads', () => {
    const target = join(folder, 'target');
    writeFileSync(target, 'old');
    symlinkSync(target, path);
    expect(refusal(() => createImage(path)).code).toBe('EEXIST');
    const image = createImage(path, { force: true });
    image.file.write(bytes);
    image.commit();
    expect(readlinkSync(path)).toBe(target);
    expect(readFileSync(target, 'utf8')).toBe('image');
  });

  it('is not put in the place of a link that leads nowhere', () => {
    symlinkSync(join(folder, 'nowhere'), path);
    expect(refusal(() => createImage(path)).code).toBe('EEXIST');
  });

  it('is written in place into a device, which stays', () => {
    const image = createImage('/dev/null', { force: true });
    image.file.write(bytes);
    image.commit();
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
    const full = createImage('/dev/full');
    expect(refusal(() => full.file.write(bytes)).code).toBe('ENOSPC');
    full.abort();
    expect(statSync('/dev/full').isCharacterDevice()).toBe(true);
  });

  it.each([
    [
      'a directory',
      () => {
        mkdirSync(path);
      },
      'EISDIR',
    ],
    [
      'a folder that is missing',
      () => {
        path = join(folder, 'no', 'job');
      },
      'ENOENT',
    ],
    [
      'a folder that is a file',
      () => {
        path = join(import.meta.filename, 'job');
      },
      'ENOTDIR',
    ],
  ])('is refused at %s', (_what, prepare, code) => {
    prepare();
    expect(refusal(() => createImage(path)).code).toBe(code);
  });
});

describe('an image', () => {
  it('is opened for reading', () => {
    writeFileSync(path, 'image');
    const file = openImage(path);
    const into = new Uint8Array(9);
    expect(file.read(into)).toBe(5);
    expect(file.access).toBe('read');
    file.close();
  });

  it('that is a pipe is as good', () => {
    execFileSync('mkfifo', [path]);
    execFileSync('sh', ['-c', `(printf image > "$0" &)`, path], { stdio: 'ignore' });
    const file = openImage(path);
    const into = new Uint8Array(9);
    expect(file.read(into)).toBe(5);
    expect(file.read(into)).toBe(0);
    file.close();
  });

  it.each([
    ['is missing', () => path, 'ENOENT'],
    ['is a directory', () => folder, 'EISDIR'],
    ['has a NUL in its name', () => 'a\0b', 'EINVAL'],
  ])('that %s is refused', (_what, where, code) => {
    expect(refusal(() => openImage(where())).code).toBe(code);
  });
});

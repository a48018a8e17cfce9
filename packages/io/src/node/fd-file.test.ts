import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Stream } from '../file.ts';
import { refusal, same } from '../testing/files.ts';
import { ckptKread, ckptKwrite } from '../transfer.ts';
import { FdFile, nonBlockingFile } from './fd-file.ts';

const bytes = Uint8Array.from({ length: 1_000_000 }, (_, index) => (index * 31) >> 3);

let folder = '';
const open: number[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ckpt-io-'));
});

afterEach(() => {
  for (const fd of open.splice(0)) closeSync(fd);
  rmSync(folder, { recursive: true });
});

function descriptor(path: string, flags: number): number {
  const fd = openSync(path, flags, 0o600);
  open.push(fd);
  return fd;
}

function fifo(): string {
  const path = join(folder, 'fifo');
  execFileSync('mkfifo', [path]);
  return path;
}

/** Milliseconds left of so many from now. */
function within(ms: number): () => number {
  const end = performance.now() + ms;
  return () => end - performance.now();
}

/** Our end of a pipe to a child, which libuv makes as a non-blocking socket. */
function socketOf(pipe: unknown): number {
  return (pipe as { _handle: { fd: number } })._handle.fd;
}

describe('a descriptor', () => {
  it('of a regular file is written and read in sequence', () => {
    const fd = descriptor(join(folder, 'image'), constants.O_RDWR | constants.O_CREAT);
    const stream: Stream = { file: new FdFile(fd), total: 0 };
    ckptKwrite(stream, bytes);
    const again = descriptor(join(folder, 'image'), constants.O_RDONLY);
    const into = new Uint8Array(bytes.length);
    ckptKread({ file: new FdFile(again), total: 0 }, into);
    expect(same(into, bytes)).toBe(true);
    expect(new FdFile(again).read(into)).toBe(0);
  });

  it('shares its position with others of the same open file description', () => {
    writeFileSync(join(folder, 'image'), bytes);
    const fd = descriptor(join(folder, 'image'), constants.O_RDONLY);
    const dup = descriptor(`/proc/self/fd/${fd}`, constants.O_RDONLY);
    const into = new Uint8Array(10);
    new FdFile(fd).read(into);
    new FdFile(fd).read(into);
    expect(into).toEqual(bytes.subarray(10, 20));
    // Opened anew it is another description: starts at 0.
    new FdFile(dup).read(into);
    expect(into).toEqual(bytes.subarray(0, 10));
  });

  it('opened for appending appends, whoever else does', () => {
    const path = join(folder, 'log');
    const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT;
    const one = new FdFile(descriptor(path, flags));
    const two = new FdFile(descriptor(path, flags));
    for (const [file, text] of [
      [one, 'a'],
      [two, 'b'],
      [one, 'c'],
    ] as const) {
      file.write(new TextEncoder().encode(text));
    }
    expect(readFileSync(path, 'utf8')).toBe('abc');
  });

  it('of a socket is waited for', async () => {
    const cat = spawn('cat', { stdio: ['pipe', 'pipe', 'ignore'] });
    try {
      const small = bytes.subarray(0, 5000);
      const to = new FdFile(socketOf(cat.stdin), { deadline: within(5000) });
      ckptKwrite({ file: to, total: 0 }, small);
      const into = new Uint8Array(small.length);
      const from = new FdFile(socketOf(cat.stdout), { deadline: within(5000) });
      ckptKread({ file: from, total: 0 }, into);
      expect(same(into, small)).toBe(true);
    } finally {
      await ended(cat);
    }
  });

  it.each([
    ['a full device', () => openSync('/dev/full', constants.O_WRONLY), 'write', 'ENOSPC'],
    ['a read-only one', () => openSync('/dev/null', constants.O_RDONLY), 'write', 'EBADF'],
    ['a write-only one', () => openSync('/dev/null', constants.O_WRONLY), 'read', 'EBADF'],
    ['a directory', () => openSync(tmpdir(), constants.O_RDONLY), 'read', 'EISDIR'],
  ] as const)('of %s says so', (_what, make, verb, code) => {
    const fd = make();
    open.push(fd);
    const error = refusal(() => new FdFile(fd)[verb](new Uint8Array(1)));
    expect(error).toMatchObject({ code });
    expect(error.sentence).toContain(`descriptor ${fd}: `);
  });

  it.each([-1, 1.5, NaN, 987_654])('%d is EBADF', (fd) => {
    expect(refusal(() => new FdFile(fd)).code).toBe('EBADF');
  });

  it('that was closed is EBADF, even when its number is used again', () => {
    const path = join(folder, 'image');
    const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT, 0o600);
    const file = new FdFile(fd);
    file.close();
    file.close();
    expect(descriptor('/dev/null', constants.O_RDWR)).toBe(fd);
    expect(refusal(() => file.write(bytes)).code).toBe('EBADF');
  });

  it('knows what it was opened for', () => {
    expect(new FdFile(descriptor('/dev/null', constants.O_RDONLY)).access).toBe('read');
    expect(new FdFile(descriptor('/dev/null', constants.O_WRONLY)).access).toBe('write');
    expect(new FdFile(descriptor('/dev/null', constants.O_RDWR)).access).toBe('both');
  });

  it('knows who shares its bytes', () => {
    const path = join(folder, 'image');
    const one = new FdFile(descriptor(path, constants.O_WRONLY | constants.O_CREAT));
    const two = new FdFile(descriptor(path, constants.O_RDONLY));
    expect(one.identity).toBe(two.identity);
    expect(new FdFile(descriptor(folder, constants.O_RDONLY)).identity).not.toBe(one.identity);
    expect(new FdFile(descriptor('/dev/null', constants.O_RDWR)).identity).toBeUndefined();
  });
});

async function ended(child: ChildProcess): Promise<void> {
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exit;
}

describe('a pipe', () => {
  it('whose reader stalls is ETIMEDOUT, and nobody else sees it non-blocking', () => {
    const fd = descriptor(fifo(), constants.O_RDWR);
    const file = nonBlockingFile(fd, 'write', { deadline: within(50) });
    const begun = performance.now();
    const stream: Stream = { file, total: 0 };
    const error = refusal(() => {
      ckptKwrite(stream, bytes);
    });
    expect(error).toMatchObject({ code: 'ETIMEDOUT', position: 0 });
    expect(performance.now() - begun).toBeLessThan(5000);
    const flags = /flags:\s*([0-7]+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1];
    expect(Number.parseInt(flags ?? '', 8) & constants.O_NONBLOCK).toBe(0);
    file.close();
    new FdFile(fd).write(new Uint8Array(0));
  });

  it('without data is ETIMEDOUT for its reader', () => {
    const fd = descriptor(fifo(), constants.O_RDWR);
    const file = nonBlockingFile(fd, 'read', { deadline: within(20) });
    expect(refusal(() => file.read(new Uint8Array(1))).code).toBe('ETIMEDOUT');
    file.close();
  });

  it('takes all when its reader is slow', async () => {
    const path = fifo();
    const fd = descriptor(path, constants.O_RDWR);
    const slow = 'while head -c 50000 > /dev/null && sleep 0.005; do :; done';
    const reader = spawn('sh', ['-c', slow], {
      stdio: [fd, 'ignore', 'ignore'],
      detached: true,
    });
    const file = nonBlockingFile(fd, 'write', { deadline: within(20_000) });
    const stream: Stream = { file, total: 0 };
    ckptKwrite(stream, bytes);
    expect(stream.total).toBe(bytes.length);
    file.close();
    const exit = new Promise((resolve) => reader.once('exit', resolve));
    // All of its process group: it may wait for a program of its own.
    process.kill(-(reader.pid ?? 0), 'SIGKILL');
    await exit;
  });

  it('whose readers are gone is EPIPE', () => {
    const path = fifo();
    const fd = descriptor(path, constants.O_RDWR);
    const writer = descriptor(path, constants.O_WRONLY);
    const file = nonBlockingFile(writer, 'write');
    closeSync(fd);
    open.splice(open.indexOf(fd), 1);
    expect(refusal(() => file.write(bytes)).code).toBe('EPIPE');
    file.close();
    const late = nonBlockingFile(writer, 'write');
    expect(refusal(() => late.write(bytes)).code).toBe('EPIPE');
  });

  it('is left open for others when the file is closed', () => {
    const fd = descriptor(join(folder, 'plain'), constants.O_RDWR | constants.O_CREAT);
    const file = nonBlockingFile(fd, 'write');
    file.write(bytes);
    file.close();
    expect(new FdFile(fd).write(bytes)).toBe(bytes.length);
  });
});

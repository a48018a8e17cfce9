import { closeSync, openSync, readlinkSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PageRun } from '@ckpt/engine';
import { MemoryFile } from '@ckpt/io';
import { obstacle, program, Target } from '../testing/target.ts';
import { freezeProcess } from './freeze.ts';
import type { FrozenProcess } from './frozen-process.ts';
import { readPages } from './page-scan.ts';

const live = obstacle() === undefined;
const page = 4096n;
let target: Target;
let frozen: FrozenProcess;

beforeAll(() => {
  if (!live) return;
  target = new Target([program('holder')]);
  target.says('child');
  frozen = freezeProcess(target.pid, 1000);
});

afterAll(() => {
  if (!live) return;
  frozen.thaw();
  target.end();
});

/** Number behind a word of the program's output. */
function said(word: string): bigint {
  const [, value] = new RegExp(`${word} (\\w+)`).exec(target.output) ?? [];
  if (value === undefined) throw new Error(`the program did not say ${word}`);
  return BigInt(value);
}

const fd = (word: string): number => Number(said(word));

/** Pages from an address: [index of the first, how many, source]. */
function runs(at: bigint, from: readonly PageRun[]): unknown[] {
  return from.map(({ address, pages: count, source }) => [
    Number((address - at) / page),
    count,
    source,
  ]);
}

describe.skipIf(!live)('of a frozen process one sees', () => {
  test('which pages hold something of their own', () => {
    const [task] = frozen.tasks;
    const at = said('mixed');
    const guard = said('guarded') === 1n ? [[7, 1, 'guard']] : [];
    const found = frozen.pages(task, at, at + 16n * page);
    const written = [[0, 2, 'store'], [3, 1, 'zero'], [5, 1, 'store'], ...guard];
    expect(runs(at, found)).toEqual(written);
    const file = said('private');
    expect(runs(file, frozen.pages(task, file, file + 4n * page))).toEqual([
      [0, 2, 'file'],
      [2, 1, 'store'],
      [3, 1, 'file'],
    ]);
  });

  test('the same without PAGEMAP_SCAN, but for zero pages', () => {
    const at = said('mixed');
    const pagemap = openSync(`/proc/${target.pid}/pagemap`, 'r');
    const found = readPages(pagemap, at, at + 16n * page, 4096);
    closeSync(pagemap);
    const guard = said('guarded') === 1n ? [[7, 1, 'guard']] : [];
    const stored = [0, 3, 5].map((index) => [index, index === 0 ? 2 : 1, 'store']);
    expect(runs(at, found)).toEqual([...stored, ...guard]);
  });

  test('nothing in a reserve of 16 GiB, at once', () => {
    const at = said('reserve');
    const started = performance.now();
    expect(frozen.pages(frozen.tasks[0], at, at + (16n << 30n))).toEqual([]);
    expect(performance.now() - started).toBeLessThan(50);
  });

  test('its memory, copied whole and in order', () => {
    const [task] = frozen.tasks;
    const at = said('numbers');
    const file = new MemoryFile();
    frozen.copy(task, at, 3 << 20, file);
    const numbers = new BigUint64Array(file.bytes.slice().buffer);
    expect(numbers).toHaveLength(3 << 17);
    expect(numbers.every((number, index) => number === BigInt(index))).toBe(true);
    const gathered = new MemoryFile();
    const parts = [2n, 0n, 5n].map((n) => ({ address: at + n * page, length: 4096 }));
    frozen.copyRuns(task, parts, gathered);
    const first = new BigUint64Array(gathered.bytes.slice().buffer);
    expect([first[0], first[512], first[1024]]).toEqual([1024n, 0n, 2560n]);
    expect(() => frozen.memory(task, 4096n, 8)).toThrow(
      expect.objectContaining({ code: 'EFAULT' }),
    );
  });

  test('its files, deleted ones too', () => {
    const [task] = frozen.tasks;
    const path = `fd/${fd('file')}`;
    expect(frozen.link(task, path)).toMatch(/^\/tmp\/ckpt-holder-.*\(deleted\)$/);
    expect(frozen.stat(task, path)).toMatchObject({ nlink: 0, size: 16384n });
    expect(Buffer.from(frozen.contents(task, path, 8190n, 4)).toString()).toBe('bbcc');
    expect(frozen.contents(task, path, 16380n, 100)).toHaveLength(4);
    expect(frozen.link(task, 'exe')).toBe(readlinkSync(`/proc/${target.pid}/exe`));
    expect(frozen.read(task, 'nothing')).toBeUndefined();
    expect(frozen.link(task, 'fd/999')).toBeUndefined();
    expect(frozen.stat(task, 'fd/999')).toBeUndefined();
    expect(frozen.list(task, 'fd')).toContain(String(fd('epoll')));
    expect(frozen.list(task, 'nothing')).toEqual([]);
    expect(Buffer.from(frozen.read(task, 'maps') ?? []).toString()).toContain('[vdso]');
  });

  test('its descriptors, by duplicates of them', () => {
    const [task] = frozen.tasks;
    expect(frozen.sameFile(task, fd('file'), fd('copy'))).toBe(true);
    expect(frozen.sameFile(task, fd('file'), fd('epoll'))).toBe(false);
    expect(frozen.compareFiles(task, fd('file'), fd('epoll'))).toBe(
      -frozen.compareFiles(task, fd('epoll'), fd('file')),
    );
    expect(frozen.watches(task, fd('event'), fd('epoll'), fd('event'), 0)).toBe(true);
    expect(frozen.watches(task, fd('file'), fd('epoll'), fd('event'), 0)).toBe(false);
    expect(frozen.watches(task, fd('event'), fd('epoll'), fd('event'), 1)).toBe(false);
    expect(Buffer.from(frozen.peekPipe(task, fd('pipe'), 100)).toString()).toBe('in flight');
    expect(Buffer.from(frozen.peekPipe(task, fd('pipe'), 2)).toString()).toBe('in');
    const [type] = frozen.probe(task, fd('socket'), [
      { call: 'getsockopt', args: [-1000, 1, 3, { out: 4 }, { inout: Uint8Array.of(4, 0, 0, 0) }] },
    ]);
    expect([type?.result, type?.out[0]?.[0], type?.out[1]?.[0]]).toEqual([0n, 1, 4]);
    expect(() => frozen.probe(task, 999, [])).toThrow(expect.objectContaining({ code: 'EBADF' }));
  });

  test('who else holds a pipe, and the other end of a socket', () => {
    const [task] = frozen.tasks;
    const pipe = frozen.link(task, `fd/${fd('pipe')}`) ?? '';
    const name = target.status('Name') ?? '';
    expect(frozen.holders(task, pipe)).toEqual([`${fd('child')} (${name})`]);
    const [, one = '', other = ''] = /socket (\d+) (\d+)/.exec(target.output) ?? [];
    const [a, b] = [one, other].map((end) => frozen.stat(task, `fd/${end}`)?.ino ?? 0n);
    const peer = frozen.unixPeer(task, a ?? 0n);
    expect([b, undefined]).toContain(peer);
  });
});

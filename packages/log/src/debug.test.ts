import { CKPT_CTX_CHECKPOINT, CKPT_DBASE, CKPT_DRW, CKPT_DSYS } from '@ckpt/format';
import { ckptReadString, ckptWriteString, MemoryFile } from '@ckpt/io';
import { describe, expect, it } from 'vitest';
import { callSite } from './call-site.ts';
import { _ckptDebug, ckptDebug, parseDebugLevel } from './debug.ts';
import { createLogStream } from './log-stream.ts';
import { ckptMsg } from './message.ts';

function bench(level?: number) {
  const lines: string[] = [];
  const file = new MemoryFile();
  const ctx = createLogStream({
    file,
    kflags: CKPT_CTX_CHECKPOINT,
    debug: {
      print: (line) => void lines.push(line),
      pid: 12,
      ...(level === undefined ? {} : { level }),
    },
  });
  return { ctx, lines, file };
}

describe('debug output', () => {
  it('has pids, function and line', () => {
    const { ctx, lines } = bench();
    function doCheckpoint(): void {
      ckptDebug(ctx, 'task %d\n', 0);
    }
    doCheckpoint();
    ctx.tsk = { pid: 7, comm: 'x' };
    doCheckpoint();
    expect(lines).toEqual([
      expect.stringMatching(/^\[12:-1:c\/r:doCheckpoint:\d+\] task 0$/),
      expect.stringMatching(/^\[12:7:c\/r:doCheckpoint:\d+\] task 0$/),
    ]);
  });

  it.each([
    [CKPT_DBASE, ['debug', 'base']],
    [CKPT_DSYS, ['debug', 'sys']],
    [CKPT_DRW, ['rw']],
    [0, []],
    [undefined, ['debug', 'base', 'sys', 'rw']],
  ])('of level %s is what its classes ask for', (level, shown) => {
    const { ctx, lines } = bench(level);
    ckptDebug(ctx, 'debug');
    _ckptDebug(ctx, CKPT_DBASE, 'base');
    _ckptDebug(ctx, CKPT_DSYS, 'sys');
    _ckptDebug(ctx, CKPT_DRW, 'rw');
    expect(lines.map((line) => line.replace(/^.*\] /, ''))).toEqual(shown);
  });

  it('tells of each record that is read and written', () => {
    const { ctx, lines, file } = bench(CKPT_DRW);
    ckptWriteString(ctx, new Uint8Array([97, 0]));
    file.rewind();
    expect(ckptReadString(ctx, 5)).toBe('a');
    expect(lines).toEqual([
      expect.stringMatching(/^\[12:-1:c\/r:\w+:\d+\] type 4 len 10$/),
      expect.stringMatching(/^\[12:-1:c\/r:\w+:\d+\] type 4 len 10\(0,0\)$/),
    ]);
  });

  it('repeats each message', () => {
    const { ctx, lines } = bench(CKPT_DBASE);
    ckptMsg(ctx, 'said');
    expect(lines).toEqual(['[pos 0]said']);
  });

  it('is silent without a context or a place to go', () => {
    ckptDebug(undefined, 'x');
    _ckptDebug(undefined, CKPT_DBASE, 'x');
    ckptDebug(null, 'x');
    _ckptDebug(null, CKPT_DBASE, 'x');
    const ctx = createLogStream({ file: new MemoryFile(), kflags: CKPT_CTX_CHECKPOINT });
    ckptDebug(ctx, 'x');
    expect('trace' in ctx).toBe(false);
  });
});

describe('a level', () => {
  it.each([
    ['base,rw', 5],
    ['all', 0xffff],
    ['none', 0],
    ['0x4', 4],
    ['4,sys', 6],
  ])('%s is %d', (text, level) => {
    expect(parseDebugLevel(text)).toBe(level);
  });

  it.each(['', 'foo', '-1', '0x', 'base;rw', 'toString'])('%j is refused', (text) => {
    expect(() => parseDebugLevel(text)).toThrow(/EINVAL: no debug class/);
  });
});

describe('a call site', () => {
  it('is that of the caller, or of callers further out', () => {
    const asks = (above: number): string => callSite(above);
    class Caller {
      method(): string {
        return asks(0);
      }
      outer(): string {
        return this.method().replace(/:.*/, '') + '<' + this.#hidden();
      }
      #hidden(): string {
        return asks(1);
      }
    }
    expect(new Caller().method()).toMatch(/^method:\d+$/);
    expect(new Caller().outer()).toMatch(/^method<outer:\d+$/);
    expect((() => asks(0))()).toMatch(/^anonymous:\d+$/);
  });
});

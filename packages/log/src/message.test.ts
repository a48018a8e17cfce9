import { CKPT_CTX_CHECKPOINT, CKPT_CTX_RESTART, CKPT_HDR_ERROR, CkptError } from '@ckpt/format';
import { MemoryFile, readHeader, type CkptFile } from '@ckpt/io';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLogStream, type LogStream, type LogStreamOptions } from './log-stream.ts';
import {
  _ckptErr,
  _ckptMsg,
  _ckptMsgAppend,
  _ckptMsgComplete,
  ckptErr,
  ckptErrAt,
  ckptMsg,
  ckptMsgLock,
  ckptMsgUnlock,
  ckptSetError,
} from './message.ts';

interface Bench {
  readonly ctx: LogStream;
  readonly image: MemoryFile;
  readonly notices: string[];
  /** The whole log. */
  readonly log: () => string;
}

function bench(options: Partial<LogStreamOptions> = {}): Bench {
  const image = new MemoryFile();
  const logFile = new MemoryFile();
  const notices: string[] = [];
  const ctx = createLogStream({
    file: image,
    kflags: CKPT_CTX_CHECKPOINT,
    logFile,
    notice: (line) => void notices.push(line),
    ...options,
  });
  return { ctx, image, notices, log: () => new TextDecoder().decode(logFile.bytes) };
}

const full: CkptFile = {
  read: () => 0,
  write: () => {
    throw new CkptError('ENOSPC', 'no space left on device');
  },
};

describe('a message', () => {
  it('gets its line end in the log where it lacks one', () => {
    const { ctx, log } = bench();
    ckptMsg(ctx, 'one');
    ckptMsg(ctx, 'two\n');
    ckptMsg(ctx, '');
    expect(log()).toBe('[pos 0]one\n[pos 0]two\n[pos 0]\n');
  });

  it('names function and line of its caller', () => {
    const { ctx, log } = bench();
    function restoreHeader(): void {
      ckptErr(ctx, -22, 'bad');
    }
    restoreHeader();
    expect(log()).toMatch(/^\[err -22\]\[pos 0\]\[E @ restoreHeader:\d+\]bad\n$/);
  });

  it('names the site it is given', () => {
    const { ctx, log } = bench();
    ckptErrAt(ctx, -22, 'restore_read_header:377', 'incompatible kernel version');
    expect(log()).toBe(
      '[err -22][pos 0][E @ restore_read_header:377]incompatible kernel version\n',
    );
  });

  it('composed after another needs no second lock', () => {
    const { ctx, log } = bench();
    ckptMsgLock(ctx);
    _ckptMsg(ctx, 'one');
    _ckptMsgComplete(ctx);
    _ckptMsg(ctx, 'two');
    _ckptMsgComplete(ctx);
    ckptMsgUnlock(ctx);
    expect(log()).toBe('[pos 0]one\n[pos 0]two\n');
  });

  it('is not lost when whoever composed it threw', () => {
    const { ctx, log } = bench();
    ckptMsgLock(ctx);
    _ckptMsg(ctx, 'half');
    ckptMsg(ctx, 'whole');
    expect(log()).toBe('[pos 0]half\n[pos 0]whole\n');
  });

  it('that is locked starts empty', () => {
    const { ctx, log } = bench();
    _ckptMsg(ctx, 'stale');
    ckptMsgLock(ctx);
    _ckptMsgAppend(ctx, '%(T)%d', 1);
    _ckptMsgComplete(ctx);
    ckptMsgUnlock(ctx);
    expect(log()).toBe('[pos 0]%(T)1\n');
  });

  it.each([undefined, null])('without a context (%s) is nothing at all', (none) => {
    ckptMsgLock(none);
    _ckptMsg(none, 'x');
    _ckptErr(none, -1, 'x');
    _ckptMsgAppend(none, 'x');
    _ckptMsgComplete(none);
    ckptMsgUnlock(none);
    ckptMsg(none, 'x');
    ckptErr(none, -1, 'x');
    ckptErrAt(none, -1, 'f:1', 'x');
    ckptSetError(none, -1);
  });
});

describe('a message of any length', () => {
  it('stays whole text of at most 1022 bytes, without NUL', () => {
    const any = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\ufffd'));
    const piece = fc.oneof(any, fc.constantFrom('a', 'ä', '漢', '😀'));
    fc.assert(
      fc.property(fc.array(fc.tuple(piece, fc.nat(700))), fc.boolean(), (parts, error) => {
        const { ctx, log, image } = bench();
        ckptMsgLock(ctx);
        for (const [text, times] of parts) _ckptMsg(ctx, '%s', text.repeat(times));
        if (error) _ckptErr(ctx, -5, 'end');
        _ckptMsgComplete(ctx);
        ckptMsgUnlock(ctx);
        const line = new TextEncoder().encode(log());
        expect(line.length).toBeLessThanOrEqual(1022);
        expect(line.includes(0)).toBe(false);
        expect(log()).not.toContain('\ufffd');
        expect(image.length).toBeLessThanOrEqual(8 + 8 + 1023);
        ckptMsg(ctx, 'next');
        expect(log().endsWith(`[pos ${ctx.total}]next\n`)).toBe(true);
      }),
    );
  });

  it('is cut at 1022 bytes, not before', () => {
    for (let length = 1000; length < 1100; length++) {
      const { ctx, log, image } = bench();
      ckptErrAt(ctx, -5, 'f:1', '%s', 'x'.repeat(length));
      const prefix = '[err -5][pos 0][E @ f:1]';
      const whole = prefix + 'x'.repeat(length);
      expect(log()).toBe(`${whole.slice(0, 1021)}\n`);
      expect(new TextDecoder().decode(image.bytes.subarray(16))).toBe(`\0${whole.slice(0, 1022)}`);
    }
  });

  it('of four parts of 400 bytes leaves the log sound', () => {
    const { ctx, log } = bench();
    ckptMsgLock(ctx);
    for (let part = 0; part < 4; part++) _ckptMsgAppend(ctx, '%s', 'y'.repeat(400));
    _ckptMsgComplete(ctx);
    ckptMsgUnlock(ctx);
    ckptMsg(ctx, 'next\n');
    expect(log().split('\n')).toEqual([
      expect.stringMatching(/^\[pos 0\]y{400}\[pos 0\]y{400}\[pos 0\]y{200}$/),
      '[pos 0]next',
      '',
    ]);
  });

  it('cuts its result, not its format', () => {
    const { ctx, log } = bench();
    ckptMsg(ctx, `${'a'.repeat(1013)}%d`, 123456);
    expect(log()).toBe(`[pos 0]${'a'.repeat(1013)}1\n`);
  });
});

describe('an error', () => {
  it('that is the first stays', () => {
    const { ctx } = bench();
    ckptErr(ctx, -12, 'first');
    ckptErr(ctx, -22, 'second');
    ckptSetError(ctx, -5);
    expect(ctx.errno).toBe(-12);
  });

  it('of a composed message is in the image, once', () => {
    const { ctx, image } = bench();
    ckptMsgLock(ctx);
    _ckptErr(ctx, -5, 'cause');
    _ckptMsgComplete(ctx);
    ckptMsgUnlock(ctx);
    ckptMsg(ctx, 'more');
    expect(ctx.errno).toBe(-5);
    expect(ctx.total).toBe(image.length);
    image.rewind();
    expect(() => readHeader({ file: image, total: 0 })).toThrow(/\[err -5\].*cause$/);
    expect(image.read(new Uint8Array(1))).toBe(0);
  });

  it('while restarting leaves the image alone', () => {
    const { ctx, image, log } = bench({ kflags: CKPT_CTX_RESTART });
    ckptErr(ctx, -22, 'bad');
    expect(image.length).toBe(0);
    expect(log()).toContain('[err -22]');
  });

  it('that the image does not take is told, and the log has it', () => {
    const { ctx, notices, log } = bench({ file: full });
    ckptErrAt(ctx, -22, 'f:1', 'bad\n');
    expect(notices).toEqual(['c/r: error string unsaved (-28): [err -22][pos 0][E @ f:1]bad']);
    expect(log()).toBe('[err -22][pos 0][E @ f:1]bad\n');
    expect(ctx.total).toBe(0);
  });

  it('of the log is told once', () => {
    const { ctx, notices, image } = bench({ logFile: full });
    ckptErr(ctx, -22, 'bad');
    ckptMsg(ctx, 'more');
    expect(notices).toEqual(['c/r: the log is not complete (-28): no space left on device']);
    expect(ctx.logError).toMatchObject({ code: 'ENOSPC' });
    expect(new DataView(image.bytes.buffer).getUint32(0, true)).toBe(CKPT_HDR_ERROR);
  });

  it('without log and notice is silent', () => {
    const { ctx } = bench({ file: full, logFile: undefined, notice: undefined });
    ckptErr(ctx, -22, 'bad');
    expect(ctx.errno).toBe(-22);
  });

  it('is a bug when a file throws anything else', () => {
    const broken: CkptFile = {
      read: () => 0,
      write: () => {
        throw new TypeError('bug');
      },
    };
    const { ctx } = bench({ logFile: broken });
    expect(() => {
      ckptMsg(ctx, 'x');
    }).toThrow(TypeError);
  });
});

describe('a log stream', () => {
  it('refuses to log into the image', () => {
    const file = new MemoryFile();
    expect(() => bench({ file, logFile: file })).toThrow(/EINVAL: the log would land/);
    const same = (): CkptFile => ({ ...full, identity: '1:2' });
    expect(() => bench({ file: same(), logFile: same() })).toThrow(/EINVAL/);
  });

  it('writes the log through files however slow', () => {
    const logFile = new MemoryFile(undefined, { writeMax: 3 });
    const { ctx } = bench({ logFile });
    ckptMsg(ctx, 'all of it');
    expect(new TextDecoder().decode(logFile.bytes)).toBe('[pos 0]all of it\n');
  });
});

import { readFileSync } from 'node:fs';
import { CKPT_CTX_CHECKPOINT, CKPT_HDR_ERROR, CKPT_HDR_STRING } from '@ckpt/format';
import { MemoryFile } from '@ckpt/io';
import { describe, expect, it } from 'vitest';
import { createLogStream, type LogStream } from './log-stream.ts';
import * as api from './message.ts';

const rows = readFileSync(new URL('../../../golden/MESSAGES.tsv', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => line.split('\t'));

const task = { pid: 4242, comm: 'golden' };

/** The rows in their order, on one context. */
const calls: ((ctx: LogStream) => void)[] = [
  (ctx) => {
    api.ckptMsg(ctx, 'plain\n');
  },
  (ctx) => {
    api.ckptMsg(ctx, '%(T)no task\n');
  },
  (ctx) => {
    ctx.tsk = task;
    api.ckptMsg(ctx, '%(T)with task %(O)x%(S)\n', 7, 'str');
  },
  (ctx) => {
    api.ckptMsg(ctx, 'odd %( O) %(O %d\n', 5);
  },
  (ctx) => {
    api.ckptErr(ctx, -12, 'first %(T)err\n');
  },
  (ctx) => {
    api.ckptErr(ctx, -22, 'second err\n');
  },
  (ctx) => {
    api.ckptMsg(ctx, 'after error\n');
  },
  (ctx) => {
    api.ckptErr(ctx, 0, 'zero err\n');
  },
  (ctx) => {
    api.ckptMsgLock(ctx);
    api._ckptErr(ctx, -5, 'part one;');
    api._ckptMsg(ctx, ' part two;');
    api._ckptMsgAppend(ctx, ' raw %d\n', 3);
    api._ckptMsgComplete(ctx);
    api.ckptMsgUnlock(ctx);
  },
  (ctx) => {
    api.ckptMsgLock(ctx);
    api._ckptMsgComplete(ctx);
    api.ckptMsgUnlock(ctx);
  },
];

/** Rows that tell of an error: an ERROR and STRING pair each. */
const errors = [4, 5, 8];

/** A log text as the golden file has it; its total is ours, as the base forgets the first error. */
function pattern(text: string, total: number): RegExp {
  const escaped = text
    .replace('(nothing)', '')
    .replace(/pos \d+/g, `pos ${total}`)
    .replace(/[[\]()\\]/g, '\\$&')
    .replaceAll('F:L', '[\\w$]+:\\d+');
  return new RegExp(`^${escaped}$`);
}

describe('the message calls', () => {
  it('are as many as the golden rows', () => {
    expect(rows).toHaveLength(calls.length);
  });

  it('give the golden log and error records, on one context', () => {
    const image = new MemoryFile();
    const logFile = new MemoryFile();
    const ctx = createLogStream({ file: image, kflags: CKPT_CTX_CHECKPOINT, logFile });
    calls.forEach((call, index) => {
      const before = { total: ctx.total, log: logFile.length };
      call(ctx);
      const said = new TextDecoder().decode(logFile.bytes.subarray(before.log));
      const [what, text = ''] = rows[index] ?? [];
      expect(said.replaceAll('\n', '\\n'), what).toMatch(pattern(text, before.total));
      const added = image.bytes.slice(before.total);
      expect(ctx.total, what).toBe(image.length);
      if (!errors.includes(index)) {
        expect(added, what).toHaveLength(0);
        return;
      }
      expect(added, what).toHaveLength(8 + 8 + 1 + said.length);
      const view = new DataView(added.buffer);
      expect([0, 4, 8, 12].map((at) => view.getUint32(at, true))).toEqual([
        CKPT_HDR_ERROR,
        8,
        CKPT_HDR_STRING,
        8 + 1 + said.length,
      ]);
      expect(new TextDecoder().decode(added.subarray(16))).toBe(`\0${said}`);
    });
    expect(ctx.errno).toBe(-12);
  });
});

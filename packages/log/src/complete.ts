import { CKPT_CTX_CHECKPOINT, CKPT_DBASE, CKPT_HDR_ERROR, CkptError } from '@ckpt/format';
import { ckptKwrite, ckptWriteObjType, ckptWriteString, clipText, decodeText } from '@ckpt/io';
import type { LogStream } from './log-stream.ts';

const newline = 10;

/** Bytes of a line in the log, its end included: text of a message at most. */
const lineMax = 1022;

/**
 * Puts a message into the image: ERROR without payload, then STRING with NUL and text, no NUL at
 * the end. What the image does not take is told, and no reason to fail a second time.
 */
function saveError(ctx: LogStream, bytes: Uint8Array): void {
  try {
    ckptWriteObjType(ctx, undefined, 0, CKPT_HDR_ERROR);
    ckptWriteString(ctx, bytes);
  } catch (error) {
    if (!(error instanceof CkptError)) throw error;
    const text = decodeText(bytes.subarray(1)).trimEnd();
    ctx.notice?.(`c/r: error string unsaved (-${error.errno}): ${text}`);
  }
}

/** The text as a line: its end is added where it lacks one, or was cut off. */
function lineOf(text: Uint8Array): Uint8Array {
  if (text.at(-1) === newline) return text;
  const end = clipText(text, lineMax - 1);
  const line = new Uint8Array(end + 1);
  line.set(text.subarray(0, end));
  line[end] = newline;
  return line;
}

/** Appends to the log; the first failure is told, a full disk must not stop a checkpoint. */
function log(ctx: LogStream, text: Uint8Array): void {
  if (ctx.logFile === undefined) return;
  try {
    ckptKwrite({ file: ctx.logFile, total: 0 }, lineOf(text));
  } catch (error) {
    if (!(error instanceof CkptError)) throw error;
    if (ctx.logError !== undefined) return;
    ctx.logError = error;
    ctx.notice?.(`c/r: the log is not complete (-${error.errno}): ${error.sentence}`);
  }
}

/** Ends the message that is open: image, log, debug output, in this order. */
export function completeMessage(ctx: LogStream): void {
  // Taken out first: whatever is told while it is written is another message.
  const message = ctx.message.take();
  if (message === undefined) return;
  const { bytes, err } = message;
  if (err !== 0 && (ctx.kflags & CKPT_CTX_CHECKPOINT) !== 0) saveError(ctx, bytes);
  const text = bytes.subarray(1);
  log(ctx, text);
  if (ctx.debug !== undefined && (ctx.debug.level & CKPT_DBASE) !== 0) {
    ctx.debug.print(decodeText(text).trimEnd());
  }
}

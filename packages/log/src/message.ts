import { callSite } from './call-site.ts';
import { completeMessage } from './complete.ts';
import { expandFlags } from './expand.ts';
import type { LogStream } from './log-stream.ts';
import { printf, type Argument } from './printf.ts';

type Context = LogStream | null | undefined;
type Arguments = readonly Argument[];

/**
 * Notes an error, a negative errno, as that of the whole. The first one stays: what follows it is
 * mostly its consequence. 0 is none.
 */
export function ckptSetError(ctx: Context, err: number): void {
  if (ctx?.errno === 0) ctx.errno = err;
}

/**
 * Opens a message that is composed of parts. Where somebody threw between lock and unlock, what he
 * had composed is completed first: it may be the reason.
 */
export function ckptMsgLock(ctx: Context): void {
  if (!ctx) return;
  if (ctx.message.locked) completeMessage(ctx);
  ctx.message.lock();
}

/** Closes it. */
export function ckptMsgUnlock(ctx: Context): void {
  ctx?.message.unlock();
}

/** `[pos N]` and the text; `[err E][pos N][E @ FUNC:LINE]` when there is a site. */
function append(ctx: LogStream, text: string, err = 0, site?: string): void {
  const error = err === 0 ? '' : `[err ${err}]`;
  const where = site === undefined ? '' : `[E @ ${site}]`;
  ctx.message.append(`${error}[pos ${ctx.total}]${where}${text}`, err);
}

function appendError(ctx: LogStream, err: number, site: string, format: string, args: Arguments) {
  // Before completing: the error record of this very message depends on it.
  ckptSetError(ctx, err);
  append(ctx, printf(format, args, expandFlags(ctx.tsk)), err, site);
}

/** Appends a part to an open message; plain printf conversions. */
export function _ckptMsgAppend(ctx: Context, format: string, ...args: Arguments): void {
  if (ctx) append(ctx, printf(format, args));
}

/** Appends a part to an open message; with the special flags `%(O) %(P) %(V) %(S) %(T)`. */
export function _ckptMsg(ctx: Context, format: string, ...args: Arguments): void {
  if (ctx) append(ctx, printf(format, args, expandFlags(ctx.tsk)));
}

/** Appends a part that tells of an error, a negative errno, and notes it. */
export function _ckptErr(ctx: Context, err: number, format: string, ...args: Arguments): void {
  if (ctx) appendError(ctx, err, callSite(), format, args);
}

/**
 * Ends an open message: into the image, if it tells of an error while checkpointing, and into the
 * log. Nothing happens when nothing was appended.
 */
export function _ckptMsgComplete(ctx: Context): void {
  if (ctx) completeMessage(ctx);
}

/** Logs a message: `[pos N]` and its text. */
export function ckptMsg(ctx: Context, format: string, ...args: Arguments): void {
  ckptMsgLock(ctx);
  _ckptMsg(ctx, format, ...args);
  _ckptMsgComplete(ctx);
  ckptMsgUnlock(ctx);
}

/**
 * Logs a message about an error, a negative errno, and notes it; while checkpointing also into the
 * image. `err` 0 is a message like others. Never throws for a file that takes no more: see `notice`.
 */
export function ckptErr(ctx: Context, err: number, format: string, ...args: Arguments): void {
  if (ctx) ckptErrAt(ctx, err, callSite(), format, ...args);
}

/** The same for an error that arose elsewhere: `site` is `FUNC:LINE`. */
export function ckptErrAt(
  ctx: Context,
  err: number,
  site: string,
  format: string,
  ...args: Arguments
): void {
  if (!ctx) return;
  ckptMsgLock(ctx);
  appendError(ctx, err, site, format, args);
  _ckptMsgComplete(ctx);
  ckptMsgUnlock(ctx);
}

import { CKPT_CTX_RESTART, CkptError, escapeText } from '@ckpt/format';
import { ckptErrAt, ckptMsg, type LogStream } from '@ckpt/log';
import { ObstacleError } from './obstacle-error.ts';

/** Functions that make errors for others. */
const makers =
  /^(fault|located|within|invalid|recordError|inRecord|decodeIn|stepError|retry|#\w+)$/;

/** A frame of V8 "at name (url:line:column)", or elsewhere "name@url:line:column". */
const frame = /^(?:\s*at (?:new )?([\w$.#<>]+).* \(|([\w$.#<>/]*)@).*?:(\d+):\d+\)?$/;

/** Where an error arose, `FUNC:LINE`. */
function siteOf(error: Error): string {
  let first = error;
  while (first.cause instanceof CkptError) first = first.cause;
  let site: string | undefined;
  for (const line of (first.stack ?? '').split('\n')) {
    const [, v8, other, number] = frame.exec(line) ?? [];
    const name = (v8 ?? other ?? '').split('.').at(-1) ?? '';
    if (number === undefined || name === '' || name === 'CkptError') continue;
    site ??= `${name.replace('#', '')}:${number}`;
    if (!makers.test(name)) return `${name.replace('#', '')}:${number}`;
  }
  return site ?? 'unknown:0';
}

/** What is wrong, then where: the words of the base stand first. */
function textOf({ sentence, path, field }: CkptError): string {
  const place = [...path, ...(field === undefined || path.at(-1) === field ? [] : [field])];
  return place.length === 0 ? sentence : `${sentence} (${place.join('/')})`;
}

/**
 * Logs sentences, each as one line: names and paths in them come from a target or an image, and
 * whoever reads the log reads it on a terminal.
 */
export function reportNotes(ctx: LogStream, sentences: readonly string[]): void {
  for (const sentence of sentences) ckptMsg(ctx, '%s\n', escapeText(sentence));
}

/**
 * Logs an error, once, where it was noticed. While checkpointing it goes into the image too, as
 * ERROR and its text, if `intoImage`: where a record ends, and no TAIL stands.
 */
export function report(ctx: LogStream, error: CkptError, intoImage: boolean): void {
  // Nobody listens: the site is not worth its stack.
  if (!intoImage && ctx.logFile === undefined && ctx.debug === undefined) return;
  const obstacles = error instanceof ObstacleError ? error.obstacles : [];
  if (obstacles.length > 1) {
    const lines = obstacles.map(({ thing, reason, remedy }) => `${thing}: ${reason}; ${remedy}`);
    reportNotes(ctx, lines);
  }
  const total = intoImage ? ctx.total : (error.position ?? ctx.total);
  const log = intoImage ? ctx : { ...ctx, total, kflags: CKPT_CTX_RESTART };
  ckptErrAt(log, -error.errno, siteOf(error), '%s\n', escapeText(textOf(error)));
  ctx.errno = log.errno;
}

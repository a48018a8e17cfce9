import { CKPT_DBASE, CKPT_DDEFAULT, CKPT_DRW, CKPT_DSYS, CkptError } from '@ckpt/format';
import { callSite } from './call-site.ts';
import type { LoggedTask } from './expand.ts';
import { printf, type Argument } from './printf.ts';

/** Where debug lines go, and which. */
export interface Debug {
  /** Classes that are shown: CKPT_DBASE | CKPT_DSYS | CKPT_DRW. */
  readonly level: number;
  /** Pid of whoever runs this; 0 where there is none. */
  readonly pid: number;
  /** Is told each line, without its end. */
  print(line: string): void;
}

/** What debug lines are about. */
interface DebugStream {
  readonly debug: Debug | undefined;
  readonly tsk: LoggedTask | undefined;
}

function print(ctx: DebugStream, site: string, text: string): void {
  const { debug } = ctx;
  if (debug === undefined) return;
  const line = text.endsWith('\n') ? text.slice(0, -1) : text;
  debug.print(`[${debug.pid}:${ctx.tsk?.pid ?? -1}:c/r:${site}] ${line}`);
}

/**
 * Prints a debug line when one of the classes in `level` is shown. Plain printf conversions. The
 * call site is only looked for when it is.
 */
export function _ckptDebug(
  ctx: DebugStream | null | undefined,
  level: number,
  format: string,
  ...args: readonly Argument[]
): void {
  if (ctx?.debug === undefined || (ctx.debug.level & level) === 0) return;
  print(ctx, callSite(), printf(format, args));
}

/** Prints a debug line of the classes base and system calls. */
export function ckptDebug(
  ctx: DebugStream | null | undefined,
  format: string,
  ...args: readonly Argument[]
): void {
  if (ctx?.debug === undefined || (ctx.debug.level & (CKPT_DBASE | CKPT_DSYS)) === 0) return;
  print(ctx, callSite(), printf(format, args));
}

/** The debug line of a record that is read or written: `trace` of a stream that shows these. */
export function traceRecord(this: object, line: string): void {
  const ctx = this as DebugStream;
  print(ctx, callSite(), line);
}

const classes = new Map([
  ['none', 0],
  ['base', CKPT_DBASE],
  ['sys', CKPT_DSYS],
  ['rw', CKPT_DRW],
  ['all', CKPT_DDEFAULT],
]);

/**
 * The level that a user asks for: names of classes (none, base, sys, rw, all) or numbers, decimal or
 * 0x, with commas between.
 * @throws CkptError EINVAL for anything else.
 */
export function parseDebugLevel(text: string): number {
  return text.split(',').reduce((level, word) => {
    const number = /^(0x[0-9a-f]{1,8}|\d{1,9})$/i.test(word) ? Number(word) : classes.get(word);
    if (number === undefined) {
      const names = [...classes.keys()].join(', ');
      throw new CkptError('EINVAL', `no debug class is called ${JSON.stringify(word)}: ${names}`);
    }
    return level | number;
  }, 0);
}

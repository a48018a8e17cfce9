import { InvalidArgumentError, type Command } from 'commander';
import { CKPT_DBASE, CKPT_DDEFAULT, CKPT_DRW, CKPT_DSYS } from '@ckpt/format';
import { createImage, FdFile } from '@ckpt/io/node';
import { constants, openSync } from 'node:fs';
import { systemError } from '@ckpt/io/node';
import { UsageError } from './failure.ts';

/** What every command that writes or reads images understands. */
export interface Common {
  readonly log?: string;
  readonly verbose?: true;
  readonly debug?: number;
  readonly json?: true;
}

const classes: Readonly<Record<string, number>> = {
  base: CKPT_DBASE,
  sys: CKPT_DSYS,
  rw: CKPT_DRW,
  all: CKPT_DDEFAULT,
};

/** "sys,rw", or a number, 0x allowed. */
export function debugClasses(text: string): number {
  if (/^(0x[0-9a-f]+|\d+)$/i.test(text)) return Number(text);
  return text.split(',').reduce((level, name) => {
    const bit = classes[name];
    if (bit === undefined) {
      throw new InvalidArgumentError(`classes are ${Object.keys(classes).join(', ')}.`);
    }
    return level | bit;
  }, 0);
}

export function positive(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1) throw new InvalidArgumentError('a whole number from 1 on.');
  return value;
}

/** A pid as a person types it. */
export function pidOf(text: string): number {
  if (!/^\d+$/.test(text) || Number(text) < 1 || Number(text) > 4194304) {
    throw new UsageError(`"${text}" is no pid: a number, such as ps shows`);
  }
  return Number(text);
}

/** "2.6.37" */
export function kernelVersion(text: string): readonly [number, number, number] {
  const match = /^(\d+)\.(\d+)(?:\.(\d+))?/.exec(text);
  if (match === null) throw new InvalidArgumentError('a version such as 6.1.0.');
  return [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)];
}

export function withCommon(command: Command): Command {
  return command
    .option('-l, --log <file>', 'append messages to this file')
    .option('-v, --verbose', 'say more')
    .option('--debug <classes>', 'debug lines on standard error: base, sys, rw, all', debugClasses)
    .option('--json', 'print results and errors as JSON');
}

/** The log is appended to, by several commands at once if need be. */
export function openLog(path: string | undefined): FdFile | undefined {
  if (path === undefined) return undefined;
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT;
  try {
    return new FdFile(openSync(path, flags, 0o600));
  } catch (error) {
    throw systemError(error, `opening the log ${path}`);
  }
}

export function debugOptions(common: Common): {
  debugLevel?: number;
  debug?: (line: string) => void;
} {
  if (common.debug === undefined) return {};
  return {
    debugLevel: common.debug,
    debug: (line) => {
      process.stderr.write(line);
    },
  };
}

export { createImage };

import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';

/** What every command that reads or writes images understands. */
export interface Common {
  readonly log?: string;
  readonly verbose?: true;
  readonly debug?: number;
  readonly json?: true;
}

/** CKPT_DBASE, CKPT_DSYS, CKPT_DRW, CKPT_DDEFAULT of @ckpt/format, which --help need not load. */
const classes: Readonly<Record<string, number>> = { base: 1, sys: 2, rw: 4, all: 0xffff };

/** "sys,rw" or "CKPT_DSYS,CKPT_DRW", or a number, 0x allowed. */
export function debugClasses(text: string): number {
  if (/^(0x[0-9a-f]{1,4}|\d{1,5})$/i.test(text)) return Number(text) & 0xffff;
  return text.split(',').reduce((level, name) => {
    const bit = classes[name.toLowerCase().replace(/^ckpt_d/, '')];
    if (bit === undefined) {
      throw new InvalidArgumentError(`Classes are ${Object.keys(classes).join(', ')}.`);
    }
    return level | bit;
  }, 0);
}

/** A whole number from 1 on: milliseconds, a pid. */
export function positive(text: string): number {
  const value = Number(text);
  if (!/^\d{1,10}$/.test(text) || value < 1 || value > 0x7fffffff) {
    throw new InvalidArgumentError('It is a whole number from 1 on.');
  }
  return value;
}

/** A version of the kernel: "2.6.37", "6.1". */
export function kernelVersion(text: string): readonly [number, number, number] {
  const match = /^(\d{1,5})\.(\d{1,5})(?:\.(\d{1,5}))?$/.exec(text);
  if (match === null) throw new InvalidArgumentError('It is a version such as 2.6.37.');
  return [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)];
}

export function withCommon(command: Command): Command {
  return command
    .option('-l, --log <file>', 'append messages to this file')
    .option('-v, --verbose', 'say more')
    .option('--debug <classes>', 'debug lines on standard error: base, sys, rw, all', debugClasses)
    .option('--json', 'print results and errors as JSON');
}

/** A file or folder that moved: what was at or under the first is at or under the second. */
export type Move = readonly [from: string, to: string];

/** The path without links where that can be: a file is opened without following one. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

/** "OLD=NEW", one more of them. OLD ends at the first "=". */
export function movedPath(text: string, before: readonly Move[] = []): readonly Move[] {
  const [, from = '', to = ''] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
  if (!from.startsWith('/') || to === '') {
    throw new InvalidArgumentError('It is OLD=NEW, and OLD an absolute path.');
  }
  const old = resolve(from);
  if (before.some(([other]) => other === old)) {
    throw new InvalidArgumentError(`${old} moved to one place only.`);
  }
  return [...before, [old, realPath(to)]];
}

/** What a restart is to accept, and what verifies an image for it. */
export interface Trust {
  readonly trustImage?: true;
  readonly allowChanged?: true;
  readonly mapPath?: readonly Move[];
}

export function withTrust(command: Command): Command {
  return command
    .option('--trust-image', 'accept files that only the one who checkpointed could open')
    .option('--allow-changed', 'accept files that changed since the checkpoint')
    .option(
      '--map-path <old=new>',
      'what was at or under OLD is at or under NEW now; may be repeated',
      movedPath,
    );
}

/** As the kinds of resource are told. */
export function trustSettings(options: Trust): Record<string, unknown> {
  const { trustImage = false, allowChanged = false, mapPath = [] } = options;
  return { trustImage, allowChanged, mapPath };
}

/** What becomes of TCP connections; `auto`, and undefined: carried on where that is possible. */
export interface Tcp {
  readonly tcp?: 'auto' | 'repair' | 'close' | 'refuse';
}

/** What is done about whom the process speaks with, when it is checkpointed. */
export interface Outside extends Tcp {
  readonly joinPipes?: boolean;
}

export function withTcp(command: Command, ...more: readonly 'refuse'[]): Command {
  const meaning =
    'TCP connections: carry on what can be, close the rest (auto); carry all on, or fail ' +
    `(repair); close all${more.length > 0 ? '; refuse any' : ''} (default: auto)`;
  const choices = ['auto', 'repair', 'close', ...more];
  return command.addOption(new Option('--tcp <how>', meaning).choices(choices));
}

export const withOutside = (command: Command): Command =>
  withTcp(command, 'refuse').option(
    '--no-join-pipes',
    'refuse pipes to other processes, which a restart joins again while those live',
  );

/** As the kinds of resource are told. */
export const tcpSettings = ({ tcp }: Tcp): Record<string, unknown> =>
  tcp === undefined || tcp === 'auto' ? {} : { tcp };

/** As the kinds of resource are told. */
export const outsideSettings = (options: Outside): Record<string, unknown> => ({
  ...tcpSettings(options),
  joinPipes: options.joinPipes ?? true,
});

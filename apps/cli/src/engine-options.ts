import { constants, openSync } from 'node:fs';
import type { EngineOptions } from '@ckpt/engine';
import { escapeText } from '@ckpt/format';
import { FdFile, systemError } from '@ckpt/io/node';
import type { Cli } from './cli.ts';
import type { Common } from './options.ts';

/**
 * The log is appended to, by several commands at once if need be. Non-blocking, for the sake of a
 * FIFO whose reader stalls while a process is frozen.
 * @throws CkptError as open(2).
 */
export function openLog(
  path: string | undefined,
  left: () => number = () => 0,
): FdFile | undefined {
  if (path === undefined) return undefined;
  const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK, O_NOCTTY } = constants;
  try {
    const fd = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY, 0o600);
    return new FdFile(fd, { deadline: left });
  } catch (error) {
    throw systemError(error, `opening the log ${path}`);
  }
}

/** Debug lines go where `say` puts them. */
export function debugOptions(
  { debug }: Common,
  say: Cli['say'],
): Pick<EngineOptions, 'debug' | 'debugLevel'> {
  if (debug === undefined) return {};
  return {
    debugLevel: debug,
    debug: (line) => {
      say(`${escapeText(line.trimEnd())}\n`);
    },
  };
}

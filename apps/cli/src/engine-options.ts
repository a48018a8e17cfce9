import type { EngineOptions } from '@ckpt/engine';
import { escapeText } from '@ckpt/format';
import type { Cli } from './cli.ts';
import type { Common } from './options.ts';

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

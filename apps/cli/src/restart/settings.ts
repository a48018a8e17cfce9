import { readlinkSync } from 'node:fs';
import { isatty } from 'node:tty';
import type { RestartOptions } from './restart.ts';

/** Path of the terminal this command has; undefined when it has none. */
function ownTerminal(): string | undefined {
  const fd = [0, 1, 2].find((each) => isatty(each));
  if (fd === undefined) return undefined;
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return undefined;
  }
}

/** What the kinds of resource are told. */
export function settingsOf(options: RestartOptions): Readonly<Record<string, unknown>> {
  const tty = ownTerminal();
  return {
    ...(tty === undefined ? {} : { tty }),
    trustImage: options.trustImage ?? false,
    allowChanged: options.allowChanged ?? false,
    detached: options.detach ?? false,
  };
}

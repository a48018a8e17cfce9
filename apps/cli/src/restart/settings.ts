import { readlinkSync } from 'node:fs';
import { isatty } from 'node:tty';
import { trustSettings, type Trust } from '../options.ts';

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
export function settingsOf(
  options: Trust & { readonly detach?: true },
): Readonly<Record<string, unknown>> {
  const tty = ownTerminal();
  return {
    ...(tty === undefined ? {} : { tty }),
    ...trustSettings(options),
    // Whether the parent of the process ends right after it.
    detached: options.detach ?? false,
  };
}

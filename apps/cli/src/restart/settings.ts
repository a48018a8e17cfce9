import { readlinkSync, statSync } from 'node:fs';
import { isatty } from 'node:tty';
import { tcpSettings, trustSettings, type Tcp, type Trust } from '../options.ts';
import { jobOf } from './job.ts';
import { targetsOf, type Redirections } from './redirections.ts';

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

/** Whether that terminal is ours to give: our process group is in its foreground. */
function isInForeground(tty: string): boolean {
  const own = jobOf('self');
  if (own === undefined || own.terminal === 0 || own.foreground !== own.group) return false;
  try {
    return statSync(tty).rdev === own.terminal;
  } catch {
    return false;
  }
}

/** Options of a restart that kinds of resource know of. */
export interface Settings extends Trust, Tcp {
  readonly detach?: true;
  readonly fd?: Redirections;
}

/** What the kinds of resource are told. */
export function settingsOf(options: Settings): Readonly<Record<string, unknown>> {
  const tty = ownTerminal();
  return {
    ...(tty === undefined ? {} : { tty, foreground: isInForeground(tty) }),
    ...trustSettings(options),
    fds: targetsOf(options.fd ?? new Map<number, string>()),
    ...tcpSettings(options),
    // Whether the parent of the process ends right after it.
    detached: options.detach ?? false,
  };
}

import { readFileSync } from 'node:fs';

/** How a process stands to its terminal, see proc_pid_stat(5). */
export interface Job {
  /** State letter. */
  readonly state: string;
  /** Process group. */
  readonly group: number;
  /** Device number of its terminal; 0: it has none. */
  readonly terminal: number;
  /** Group in the terminal's foreground. */
  readonly foreground: number;
}

/** Undefined when the process is gone. */
export function jobOf(pid: number | 'self'): Job | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  const [state = '', , group, , terminal, foreground] = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ');
  const [a = 0, b = 0, c = 0] = [group, terminal, foreground].map(Number);
  return { state, group: a, terminal: b, foreground: c };
}

/** Signals that a terminal gives to its foreground group by itself, or its shell does. */
const ofTerminals: ReadonlySet<string> = new Set([
  ...['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTSTP', 'SIGCONT', 'SIGWINCH'],
]);

/**
 * Whether a signal that has come to us has come to the other one too. One that somebody sent to us
 * alone looks the same; a stopped process needs its SIGCONT in any case.
 */
export function sharedSignal(signal: string, own: Job | undefined, other: Job): boolean {
  if (!ofTerminals.has(signal) || own === undefined) return false;
  if (signal === 'SIGCONT' && other.state === 'T') return false;
  return own.terminal !== 0 && own.foreground === own.group && own.group === other.group;
}

/** Whether another process is a job of its own in our session and terminal. */
export function isApart(own: Job | undefined, other: Job): boolean {
  if (own === undefined || own.terminal === 0) return false;
  return own.terminal === other.terminal && own.group !== other.group;
}

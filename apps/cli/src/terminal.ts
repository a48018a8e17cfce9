import { readlinkSync } from 'node:fs';
import { isatty } from 'node:tty';
import { SingleBar } from 'cli-progress';
import pico from 'picocolors';
import type { Progress } from '@ckpt/engine';

/** Colours for standard error, where people read; NO_COLOR and pipes have none. */
export const style = pico.createColors(
  process.env.NO_COLOR === undefined && process.env.TERM !== 'dumb' && isatty(2),
);

/**
 * Text of unknown origin, safe for a terminal: control characters, escape sequences and characters
 * that change the direction of writing are shown as \xNN or \u{NNNN}.
 */
export function escape(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\u2028\u2029]/gu, (character) => {
    if (character === '\n') return '\\n';
    const code = character.codePointAt(0) ?? 0;
    return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}

/** "8.1 MiB" */
export function sizeText(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return unit === 0 ? `${bytes} bytes` : `${value.toFixed(1)} ${units[unit] ?? ''}`;
}

/** "12 ms", "1.3 s" */
export function timeText(ms: number): string {
  return ms < 1000 ? `${ms.toFixed(ms < 10 ? 1 : 0)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** Path of the terminal this command has; undefined when it has none. */
export function ownTerminal(): string | undefined {
  for (const fd of [0, 1, 2]) {
    if (!isatty(fd)) continue;
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      // No /proc: no name for it.
    }
  }
  return undefined;
}

/** Longer than a moment, milliseconds. */
const patienceMs = 500;

/** A bar on standard error, when that is a terminal and the work takes longer than a moment. */
export function progressBar(): { tell: (progress: Progress) => void; end: () => void } {
  const started = performance.now();
  let bar: SingleBar | undefined;
  return {
    tell({ phase, done, total }) {
      if (total === 0 || !isatty(2) || performance.now() - started < patienceMs) return;
      if (bar === undefined) {
        bar = new SingleBar({
          format: '{phase} {bar} {percentage}% of {size}',
          stream: process.stderr,
          clearOnComplete: true,
          hideCursor: true,
        });
        bar.start(total, done, { phase, size: sizeText(total) });
      }
      bar.update(done, { phase });
    },
    end() {
      bar?.stop();
    },
  };
}

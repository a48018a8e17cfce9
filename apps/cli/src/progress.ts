import { closeSync, constants, openSync, writeSync } from 'node:fs';
import type { SingleBar } from 'cli-progress';
import type { Progress } from '@ckpt/engine';
import type { Cli } from './cli.ts';
import { sizeText, timeText } from './quantities.ts';

/** Tells how far a command is. */
export interface Reporter {
  readonly tell: (progress: Progress) => void;
  /** Takes the bar away, and says what `-v` has to say. */
  readonly end: () => void;
}

/** Longer than a moment, milliseconds. */
const patienceMs = 500;

/**
 * A bar on the terminal behind standard error, opened anew and non-blocking: a terminal that was
 * stopped (Ctrl-S) must not keep a frozen process frozen, so it misses some strokes instead.
 */
async function openBar(): Promise<{ bar: SingleBar; close: () => void } | undefined> {
  const { SingleBar } = await import('cli-progress');
  let fd: number;
  try {
    const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
    fd = openSync('/proc/self/fd/2', O_WRONLY | O_NONBLOCK | O_NOCTTY);
  } catch {
    return undefined;
  }
  const write = (text: string): boolean => {
    try {
      return writeSync(fd, text) > 0;
    } catch {
      return false;
    }
  };
  // The few members that cli-progress and readline use of a stream.
  const stream = { isTTY: true, columns: 80, write } as unknown as NodeJS.WritableStream;
  const bar = new SingleBar({
    format: '{phase} {bar} {percentage}% of {size}',
    ...{ stream, clearOnComplete: true, hideCursor: false, fps: 10 },
  });
  return {
    bar,
    close: () => {
      closeSync(fd);
    },
  };
}

interface Phase {
  readonly name: Progress['phase'];
  readonly begun: number;
  readonly total: number;
}

/** What each phase took, for `-v`: kept until the end, when nobody is frozen any more. */
class Phases {
  readonly #lines: string[] = [];
  #now: Phase | undefined;

  tell({ phase, total }: Progress): void {
    if (this.#now?.name !== phase) {
      this.close();
      this.#now = { name: phase, begun: performance.now(), total };
    } else if (total > this.#now.total) this.#now = { ...this.#now, total };
  }

  close(): void {
    if (this.#now === undefined) return;
    const { name, begun, total } = this.#now;
    const size = total === 0 ? '' : `, ${sizeText(total)}`;
    this.#lines.push(`  ${name}: ${timeText(performance.now() - begun)}${size}\n`);
    this.#now = undefined;
  }

  take(): string {
    this.close();
    return this.#lines.splice(0).join('');
  }
}

/** A bar when a person watches and it takes longer than a moment; a line for each phase with -v. */
export async function createReporter(cli: Cli, verbose: boolean): Promise<Reporter> {
  const opened = cli.watched ? await openBar() : undefined;
  const phases = new Phases();
  const started = performance.now();
  let shown = false;
  return {
    tell(progress) {
      if (verbose) phases.tell(progress);
      const { phase, done, total } = progress;
      if (opened === undefined || total === 0) return;
      if (shown) opened.bar.update(done, { phase });
      else if (performance.now() - started > patienceMs) {
        shown = true;
        opened.bar.start(total, done, { phase, size: sizeText(total) });
      }
    },
    end() {
      if (shown) opened?.bar.stop();
      opened?.close();
      cli.say(phases.take());
    },
  };
}

import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import pico from 'picocolors';

export type Style = ReturnType<typeof pico.createColors>;

/** One run of the command: where it writes, and how it ends. */
export interface Cli {
  /** To standard output. @throws OutputError as write(2). */
  readonly print: (text: string) => void;
  /** To standard error; never fails. */
  readonly say: (text: string) => void;
  /** Colours of standard output, and of standard error. */
  readonly out: Style;
  readonly err: Style;
  /** A person watches standard error: progress is worth showing. */
  readonly watched: boolean;
  /** Characters in a line of standard output. */
  readonly width: number;
  /** Exit status so far. */
  status: number;
}

/** 0 done, 1 refused or failed, 2 usage: see `ckpt --help`. */
export const exitStatus = { done: 0, failed: 1, usage: 2, brokenPipe: 128 + 13 } as const;

/** Standard output cannot be written. EPIPE: whoever read it went away, which is no failure. */
export class OutputError extends Error {
  override readonly name = 'OutputError';
  readonly code: string;

  constructor(code: string, cause: unknown) {
    super(`writing to standard output failed with ${code}`, { cause });
    this.code = code;
  }
}

/** Milliseconds between tries at a descriptor that somebody else made non-blocking. */
const pauseMs = 5;

function writeAll(fd: number, text: string): void {
  let bytes: Uint8Array = Buffer.from(text);
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(fd, bytes));
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'EIO';
      if (code !== 'EAGAIN' && code !== 'EINTR') throw new OutputError(code, error);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs);
    }
  }
}

/** NO_COLOR (no-color.org) and what is no terminal have none. */
function coloured(fd: number): boolean {
  const { NO_COLOR, TERM } = process.env;
  return (NO_COLOR ?? '') === '' && TERM !== 'dumb' && isatty(fd);
}

const widthDefault = 100;

/** The command as it runs for real. Synchronous: a big image is listed in little memory. */
export function processCli(): Cli {
  return {
    print: (text) => {
      writeAll(1, text);
    },
    say: (text) => {
      try {
        writeAll(2, text);
      } catch {
        // There is nobody left to tell.
      }
    },
    out: pico.createColors(coloured(1)),
    err: pico.createColors(coloured(2)),
    watched: isatty(2),
    get width() {
      return isatty(1) ? process.stdout.columns : widthDefault;
    },
    status: exitStatus.done,
  };
}

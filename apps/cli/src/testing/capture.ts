import pico from 'picocolors';
import type { Cli } from '../cli.ts';
import { run } from '../program.ts';

/** What a command left behind. */
export interface Captured {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command without a terminal, which keeps what it writes. */
export function captureCli(print: (text: string) => void, say: (text: string) => void): Cli {
  const plain = pico.createColors(false);
  return { print, say, out: plain, err: plain, watched: false, width: 100, status: 0 };
}

/** Runs a command line in this process. */
export async function capture(...args: string[]): Promise<Captured> {
  let stdout = '';
  let stderr = '';
  const cli = captureCli(
    (text) => (stdout += text),
    (text) => (stderr += text),
  );
  const status = await run(args, cli);
  return { status, stdout, stderr };
}

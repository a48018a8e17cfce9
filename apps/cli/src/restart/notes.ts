import { escapeText } from '@ckpt/format';
import type { Cli } from '../cli.ts';

/** What a restart brings back otherwise than it was, a line each. */
export function notesText({ err }: Cli, notes: readonly string[]): string {
  return notes.map((note) => `${err.yellow('note:')} ${escapeText(note)}\n`).join('');
}

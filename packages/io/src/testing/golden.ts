import { readFileSync } from 'node:fs';

/** A file of the golden folder. */
export function golden(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../../../../golden/${name}`, import.meta.url)));
}

/** Rows of a tab-separated golden file, without its first line. */
export function goldenRows(name: string): string[][] {
  const lines = new TextDecoder().decode(golden(name)).trimEnd().split('\n').slice(1);
  return lines.filter((line) => !line.startsWith('#')).map((line) => line.split('\t'));
}

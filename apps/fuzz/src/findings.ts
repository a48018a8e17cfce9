import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Input } from './campaign.ts';
import type { Finding } from './run/finding.ts';

/** A finding as it stands in a file; its bytes are in another one beside it. */
interface Saved {
  readonly campaign: string;
  readonly target: string;
  readonly args: readonly number[];
  /** Name of the file with the bytes. */
  readonly bytes: string;
  /** Where it was found: `--seed`, batch, execution. */
  readonly seed: number;
  readonly batch: number;
  readonly index: number;
  readonly key: string;
  readonly error: string;
  readonly message: string;
  readonly stack: readonly string[];
}

/** A finding that was saved, to be tried again. */
export interface Replayable {
  readonly campaign: string;
  readonly input: Input;
  readonly message: string;
}

/** Name of a finding: the same for the same key. */
function nameOf({ campaign, fault }: Finding): string {
  const hash = createHash('sha256').update(fault.key).digest('hex').slice(0, 10);
  return `${campaign}-${hash}`;
}

/** Writes a finding into a folder; returns the path of its description. */
export function saveFinding(folder: string, finding: Finding): string {
  const { campaign, input, fault, image, seed, batch, index } = finding;
  const name = nameOf(finding);
  const saved: Saved = {
    ...{ campaign, target: input.target, args: input.args, bytes: `${name}.bin` },
    ...{ seed, batch, index, key: fault.key, error: fault.name, message: fault.message },
    stack: fault.stack.split('\n'),
  };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.bin`), input.bytes);
  if (image !== undefined) writeFileSync(join(folder, `${name}.ckpt`), image);
  const path = join(folder, `${name}.json`);
  writeFileSync(path, `${JSON.stringify(saved, undefined, 2)}\n`);
  return path;
}

const isText = (value: unknown): value is string => typeof value === 'string';

/** Reads what {@link saveFinding} wrote. @throws Error for any other file. */
export function loadFinding(path: string): Replayable {
  const text = readFileSync(path.replace(/\.(bin|ckpt)$/, '.json'), 'utf8');
  const saved = JSON.parse(text) as Partial<Saved> | null;
  const { campaign, target, bytes, args, message = '' } = saved ?? {};
  if (!isText(campaign) || !isText(target) || !isText(bytes) || !Array.isArray(args)) {
    throw new Error(`${path} is no finding`);
  }
  const content = new Uint8Array(readFileSync(join(dirname(path), bytes)));
  return { campaign, input: { target, args: args.map(Number), bytes: content }, message };
}

/** Quoted for a shell, where that is needed. */
export function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import type { Lab, Program } from './lab.ts';
import { leavesNothing } from './serving.ts';
import { isFree, killed, mappings, random, traits } from './sweep.ts';

/** A program whose checkpointers are killed. */
export interface Survivor {
  readonly target: Program;
  /** It does what it did, rightly. */
  readonly goesOn: () => Promise<unknown>;
  /** It maps, opens and starts nothing by itself: whatever has changed is left of a checkpoint. */
  readonly isQuiet?: true;
}

/**
 * So many random moments for each program. `CKPT_KILLS=300` makes it as many, and goes through all
 * points instead of the chosen ones: an hour.
 */
const randomKills = Number(process.env.CKPT_KILLS ?? 20);
const isAll = process.env.CKPT_KILLS !== undefined;

interface Points {
  readonly names: readonly string[];
  /** How long the checkpoint takes. */
  readonly ms: number;
}

/** The first and the last point of each kind: "ptrace CONT#1", "ptrace CONT#7" ... */
function chosen({ names }: Points): readonly string[] {
  if (isAll) return names;
  const kinds = new Set(names.map((name) => name.replace(/\d+$/, '')));
  return [...kinds].flatMap((kind) => {
    const all = names.filter((name) => name.startsWith(kind));
    return all.filter((_, n) => n === 0 || n === all.length - 1);
  });
}

interface Ended {
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a checkpoint up to a point; ends it by SIGKILL so long after it has begun. */
async function run(args: readonly string[], afterMs?: number): Promise<Ended> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  child.stderr.on('data', (part) => (said.stderr += String(part)));
  const begun = new Promise<void>((resolve) => {
    child.stdout.on('data', (part) => {
      said.stdout += String(part);
      resolve();
    });
  });
  const ended = new Promise<NodeJS.Signals | null>((resolve) => {
    child.once('close', (_status, signal) => {
      resolve(signal);
    });
  });
  if (afterMs !== undefined) {
    await Promise.race([begun, ended]);
    await delay(afterMs);
    child.kill('SIGKILL');
  }
  return { signal: await ended, ...said };
}

/** What others see of it. Threads come and go by themselves: masks of those that stay. */
function look({ target, isQuiet }: Survivor): Record<string, unknown> {
  if (isQuiet) return { ...traits(target), maps: mappings(target) };
  const { descriptors, ignored, caught, limits } = traits(target);
  return { descriptors, ignored, caught, limits };
}

/** It has what it had; connections that it just answered over may take it a moment. */
async function isAsBefore(survivor: Survivor, before: Record<string, unknown>): Promise<void> {
  for (let n = 0; n < 100 && !isDeepStrictEqual(look(survivor), before); n++) await delay(20);
  expect(look(survivor)).toEqual(before);
}

/**
 * Whichever point of a checkpoint was the last, and at whatever moment it was killed: the program
 * goes on, and has nothing more than before.
 */
export async function survives(lab: Lab, survivor: Survivor, seed: number): Promise<void> {
  const { target, goesOn } = survivor;
  await goesOn();
  await leavesNothing(lab, target);
  const before = look(survivor);
  const at = (point: string) => killed(target.pid, point, lab.path(`killed-${target.pid}.ckpt`));
  const through = await run(at('names'));
  expect(through.stderr).toBe('');
  const points = JSON.parse(through.stdout) as Points;
  let died = 0;
  const after = async ({ signal, stderr }: Ended): Promise<void> => {
    expect(stderr).toBe('');
    if (signal === 'SIGKILL') died++;
    await isFree(target);
    await goesOn();
  };
  const named = chosen(points);
  for (const name of named) await after(await run(at(name)));
  const next = random(seed);
  for (let n = 0; n < randomKills; n++) {
    await after(await run(at('again'), next() * 2 * points.ms));
  }
  // A checkpoint may have a stop less than another.
  expect(died).toBeGreaterThan((named.length + randomKills) / 2);
  await isAsBefore(survivor, before);
}

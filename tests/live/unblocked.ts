import { expect } from 'vitest';
import type { Lab, Program } from './lab.ts';

/** Runs `ckpt` without keeping this process, which has connections of its own, from its work. */
function ckpt(lab: Lab, ...args: string[]): Promise<{ status: number | null; stderr: string }> {
  const child = lab.background(...args);
  let stderr = '';
  child.stderr?.on('data', (part) => (stderr += String(part)));
  return new Promise((resolve) => {
    child.once('close', (status) => {
      resolve({ status, stderr });
    });
  });
}

/** Runs `ckpt`, which must succeed; returns what it said. */
export async function good(lab: Lab, ...args: string[]): Promise<string> {
  const { status, stderr } = await ckpt(lab, ...args);
  expect({ args, status, stderr }).toMatchObject({ status: 0 });
  return stderr;
}

/** Checkpoint with --kill, and restart: the same program, once more. */
export async function cycle(
  lab: Lab,
  program: Program,
  image: string,
  ...how: string[]
): Promise<string> {
  const killed = ['checkpoint', '--kill', '--force', '-o', image, String(program.pid)];
  const said = await good(lab, ...killed);
  await program.gone();
  program.restarted();
  return said + (await good(lab, 'restart', '--detach', ...how, image));
}

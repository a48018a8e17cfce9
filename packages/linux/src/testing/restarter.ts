import { execFile, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { serialize } from 'node:v8';
import type { Plan } from '@ckpt/engine';

/** A restart in a process of its own, of the built package, that kills itself at a point. */
const script = (runUrl: string): string => `
import { readFileSync } from 'node:fs';
import { deserialize } from 'node:v8';
import { runPlan } from ${JSON.stringify(runUrl)};

const [file, killAt] = process.argv.slice(2);
const none = { index: 0, position: 0, ready: () => 0, read() {}, taken() {}, skip() {}, finish() {} };
const points = [];
const at = (point) => {
  points.push(point);
  if (points.length === Number(killAt)) process.kill(process.pid, 'SIGKILL');
};
const started = performance.now();
const running = runPlan(deserialize(readFileSync(file)), none, { at });
const ms = performance.now() - started;
process.stdout.write(JSON.stringify({ pid: running.pid, points, ms }) + '\\n');
process.exit(0);
`;

export interface Restarter {
  readonly command: string;
  readonly args: readonly string[];
}

/** Command that runs a plan without stored pages; append the number of the point where it ends. */
export function restarterOf(plan: Plan, name: (file: string) => string): Restarter {
  const run = new URL('../../dist/host/run.js', import.meta.url);
  writeFileSync(name('restarter.mjs'), script(run.href));
  writeFileSync(name('plan'), serialize(plan));
  return { command: process.execPath, args: [name('restarter.mjs'), name('plan')] };
}

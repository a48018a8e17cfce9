import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { serialize } from 'node:v8';
import type { Plan } from '@ckpt/engine';

/** A restart in a process of its own, by the built package, that kills itself at a point. */
const script = (runUrl: string): string => `
import { readFileSync } from 'node:fs';
import { deserialize } from 'node:v8';
import { runPlan } from ${JSON.stringify(runUrl)};

const [file, killAt] = process.argv.slice(2);
const [fatal, nth] = killAt.split('#');
const none = { index: 0, position: 0, ready: () => 0, read() {}, taken() {}, skip() {}, finish() {} };
const points = [];
const at = (point) => {
  points.push(point);
  if (point !== fatal) return;
  if (points.filter((one) => one === fatal).length === Number(nth)) process.kill(process.pid, 'SIGKILL');
};
try {
  const { pid, wait } = runPlan(deserialize(readFileSync(file)), none, { at });
  const status = killAt === 'wait' ? await wait() : undefined;
  process.stdout.write(JSON.stringify({ pid, points, status }));
} catch (error) {
  process.stdout.write(JSON.stringify({ points, error: error.message }));
}
process.exit();
`;

export interface Restarted {
  /** Absent when it failed. */
  readonly pid?: number;
  readonly error?: string;
  /** How it ended, if that was waited for. */
  readonly status?: number;
  /** All points that it came by. */
  readonly points: readonly string[];
}

/** Runs plans without stored pages, each in a process of its own. */
export class Restarter {
  readonly #script: string;
  readonly #plan: string;
  readonly #before: readonly string[];

  /** `name` makes paths of scratch files; `before` is a command that runs the command behind it. */
  constructor(name: (file: string) => string, before: readonly string[] = []) {
    this.#script = name('restarter.mjs');
    this.#plan = name('plan');
    this.#before = before;
    writeFileSync(this.#script, script(new URL('../../dist/host/run.js', import.meta.url).href));
  }

  /**
   * Undefined when it was killed.
   * @param killAt A point, `#`, and which of those of that name, from 1 on; or `wait`: for the end.
   */
  run(plan: Plan, killAt = ''): Restarted | undefined {
    writeFileSync(this.#plan, serialize(plan));
    const own = [process.execPath, this.#script, this.#plan, killAt];
    const [command = '', ...args] = [...this.#before, ...own];
    const done = spawnSync(command, args, { encoding: 'utf8' });
    if (done.signal === 'SIGKILL') return undefined;
    if (done.status !== 0) throw new Error(`the restarter failed: ${done.stderr}`);
    return JSON.parse(done.stdout) as Restarted;
  }
}

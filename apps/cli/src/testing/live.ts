import { spawn, spawnSync, type ChildProcess, type SpawnOptions } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** The built command. */
export const bin = join(import.meta.dirname, '../../bin/ckpt.js');

export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A child under way. */
export interface Started {
  readonly child: ChildProcess;
  readonly pid: number;
  /** What it has said so far. */
  readonly said: () => string;
  readonly ended: Promise<Finished>;
}

/** State letter of proc_pid_stat(5); undefined when there is no such process, or a zombie is left. */
export function stateOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const state = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
    return state === 'Z' || state === 'X' ? undefined : state;
  } catch {
    return undefined;
  }
}

/** Waits for what must come. */
export async function until(what: string, holds: () => boolean, timeoutMs = 10_000): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`in vain: ${what}`);
    await delay(10);
  }
}

/** Descriptors of whoever started the tests go to nobody they could matter to. */
function nothingElse(stdio: ('ignore' | 'pipe' | number)[], nothing: number): typeof stdio {
  const inherited = readdirSync('/proc/self/fd').map(Number);
  const most = Math.max(...inherited.filter((fd) => fd !== nothing), 2);
  return Array.from({ length: most + 1 }, (_, fd) => stdio[fd] ?? nothing);
}

/** A folder of its own, and children that are killed at the end. */
export class Bench {
  readonly folder = mkdtempSync(join(tmpdir(), 'ckpt-cli-'));
  readonly #pids = new Set<number>();
  readonly #children = new Set<ChildProcess>();

  path(name: string): string {
    return join(this.folder, name);
  }

  read(name: string): string {
    return existsSync(this.path(name)) ? readFileSync(this.path(name), 'utf8') : '';
  }

  /** Kills a process at the end that is none of our children. */
  adopt(pid: number): void {
    this.#pids.add(pid);
  }

  start(command: string, args: readonly string[], options: SpawnOptions = {}): Started {
    const nothing = openSync('/dev/null', 'r+');
    const stdio = nothingElse(['pipe', 'pipe', 'pipe'], nothing);
    const child = spawn(command, args, { cwd: this.folder, stdio, ...options });
    closeSync(nothing);
    this.#children.add(child);
    let stdout = '';
    let stderr = '';
    child.stdout?.on('data', (part) => (stdout += String(part)));
    child.stderr?.on('data', (part) => (stderr += String(part)));
    const ended = new Promise<Finished>((resolve) => {
      child.once('close', (status) => {
        this.#children.delete(child);
        resolve({ status, stdout, stderr });
      });
    });
    return { child, pid: child.pid ?? 0, said: () => stdout + stderr, ended };
  }

  /** Starts a program that a checkpoint can carry: its output in a file, its own session. */
  target(command: string, args: readonly string[], options: SpawnOptions = {}): Started {
    const nothing = openSync('/dev/null', 'r+');
    const output = openSync(this.path('output'), 'a');
    const stdio = nothingElse([nothing, output, output], nothing);
    const started = this.start(command, args, { stdio, detached: true, ...options });
    closeSync(nothing);
    closeSync(output);
    return started;
  }

  /** Starts `ckpt`. */
  ckpt(...args: string[]): Started {
    return this.start(process.execPath, [bin, ...args]);
  }

  /** Runs `ckpt` to its end. */
  run(...args: string[]): Finished {
    return this.runAs({}, ...args);
  }

  runAs(options: { uid?: number; env?: NodeJS.ProcessEnv; input?: Uint8Array }, ...args: string[]) {
    const { uid, env, input } = options;
    const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...args], {
      ...{ cwd: this.folder, encoding: 'utf8', timeout: 60_000 },
      ...(uid === undefined ? {} : { uid, gid: uid }),
      ...(input === undefined ? {} : { input }),
      env: { ...process.env, ...env },
    });
    return { status, stdout, stderr };
  }

  close(): void {
    for (const pid of this.#pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It is gone.
      }
    }
    for (const child of this.#children) child.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/**
 * A Node program that writes down the signals it gets, and exits with 7 when it is told to end.
 * It says "ready" in `heard`.
 */
export const listener = `
const { appendFileSync } = require('node:fs');
const hear = (word) => appendFileSync(process.argv[1], word + '\\n');
for (const signal of ['SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH', 'SIGQUIT'])
  process.on(signal, () => hear(signal));
process.on('SIGTERM', () => { hear('SIGTERM'); process.exit(7); });
setInterval(() => {}, 1000);
hear('ready');
`;

import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Why live tests cannot run here; undefined when they can. */
export function obstacle(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'not Linux on x86-64';
  if (process.geteuid?.() !== 0) return 'not root';
  return spawnSync('gcc', ['--version']).status === 0 ? undefined : 'no gcc for the test programs';
}

/** Compiles one of the programs in `programs/`; returns the path of what can be run. */
export function program(name: string, ...flags: readonly string[]): string {
  const source = new URL(`programs/${name}.c`, import.meta.url);
  return compile(readFileSync(source, 'utf8'), ...flags);
}

/** Compiles a C program, once for each text; returns the path of the program. */
function compile(source: string, ...flags: readonly string[]): string {
  const name = createHash('sha256')
    .update([source, ...flags].join('\0'))
    .digest('hex')
    .slice(0, 16);
  const folder = join(tmpdir(), 'ckpt-test-programs');
  const program = join(folder, name);
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  const own = mkdtempSync(join(folder, 'build-'));
  writeFileSync(join(own, 'main.c'), source);
  const args = ['-O1', '-Wall', '-pthread', '-o', join(own, 'main'), join(own, 'main.c'), ...flags];
  execFileSync('gcc', args);
  renameSync(join(own, 'main'), program);
  return program;
}

/** A running program that is not a child of the test: libuv would take its stops away. */
export class Target {
  readonly pid: number;
  readonly #output: string;
  /** What was in the file when it was taken away. */
  #written: string | undefined;

  constructor(command: readonly string[]) {
    const folder = mkdtempSync(join(tmpdir(), 'ckpt-target-'));
    this.#output = join(folder, 'output');
    const script = 'out=$1; shift; setsid "$@" > "$out" 2>&1 < /dev/null & echo $!';
    const { stdout } = spawnSync('sh', ['-c', script, 'sh', this.#output, ...command], {
      encoding: 'utf8',
    });
    this.pid = Number(stdout);
  }

  get output(): string {
    if (this.#written !== undefined) return this.#written;
    return existsSync(this.#output) ? readFileSync(this.#output, 'utf8') : '';
  }

  /** Value of a field of /proc/PID/status; undefined when the process is gone. */
  status(field: string): string | undefined {
    try {
      const text = readFileSync(`/proc/${this.pid}/status`, 'utf8');
      return new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(text)?.[1];
    } catch {
      return undefined;
    }
  }

  /** Ids of its threads. */
  threads(): number[] {
    return readdirSync(`/proc/${this.pid}/task`).map(Number);
  }

  get isAlive(): boolean {
    const state = this.status('State');
    return state !== undefined && !state.startsWith('Z') && !state.startsWith('X');
  }

  /** Sleeps until the condition holds. @throws Error after some seconds. */
  until(what: string, holds: () => boolean, limitMs = 10_000): void {
    const deadline = performance.now() + limitMs;
    while (!holds()) {
      if (performance.now() > deadline) {
        throw new Error(`${what}: not within ${limitMs} ms; output: ${this.output}`);
      }
      pause(5);
    }
  }

  /** Sleeps until the program has written a text. */
  says(text: string, limitMs?: number): void {
    this.until(`"${text}"`, () => this.output.includes(text), limitMs);
  }

  /** Kills it, and takes its file away. */
  end(): void {
    try {
      // With its children: it leads a process group.
      process.kill(-this.pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
    this.#written = this.output;
    rmSync(dirname(this.#output), { recursive: true, force: true });
  }
}

/** Stands still, without the event loop. */
export function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

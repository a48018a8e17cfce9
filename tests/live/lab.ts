import { spawn, spawnSync, execFileSync, type ChildProcess } from 'node:child_process';
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
import { fileURLToPath } from 'node:url';
import { syscall, trySyscall } from '../../packages/linux/src/host/syscall.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const bin = join(here, '../../apps/cli/bin/ckpt.js');

/** What a finished command left. */
export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program under test: a process of its own session, its output in a file. */
export class Program {
  readonly pid: number;
  /** Path of the file that its output goes to. */
  readonly output: string;

  /** Node reaps it; once it was restarted it is somebody else's child. */
  #isChild: boolean;

  constructor(pid: number, output: string, isChild = false) {
    this.#isChild = isChild;
    this.pid = pid;
    this.output = output;
  }

  text(): string {
    return readFileSync(this.output, 'utf8');
  }

  lines(): string[] {
    return this.text().split('\n').slice(0, -1);
  }

  /** Waits until the output matches, from the given offset on; returns the match. */
  async saw(pattern: RegExp, from = 0, timeoutMs = 20_000): Promise<RegExpExecArray> {
    const end = Date.now() + timeoutMs;
    for (;;) {
      const match = pattern.exec(this.text().slice(from));
      if (match !== null) return match;
      if (Date.now() > end)
        throw new Error(`no ${String(pattern)} in:\n${this.text().slice(from)}`);
      await delay(10);
    }
  }

  /** It died, and what has its pid now was restarted. */
  restarted(): void {
    this.#isChild = false;
  }

  /** State letter of proc_pid_stat(5); undefined when there is no such process. */
  state(): string | undefined {
    return stateOf(this.pid);
  }

  alive(): boolean {
    const state = this.state();
    return state !== undefined && state !== 'Z' && state !== 'X';
  }

  kill(signal: NodeJS.Signals | number = 'SIGKILL'): void {
    try {
      process.kill(this.pid, signal);
    } catch {
      // It is gone already.
    }
  }

  /** Waits until the pid is free: until its parent, this process or init, has reaped it. */
  async gone(timeoutMs = 10_000): Promise<void> {
    const end = Date.now() + timeoutMs;
    while (this.state() !== undefined) {
      if (!this.#isChild) reap(this.pid);
      if (Date.now() > end) throw new Error(`process ${String(this.pid)} does not end`);
      await delay(5);
    }
  }

  status(field: string): string {
    const match = new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(
      readFileSync(`/proc/${String(this.pid)}/status`, 'utf8'),
    );
    if (match?.[1] === undefined) throw new Error(`no ${field} in status`);
    return match[1];
  }
}

function stateOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
  } catch {
    return undefined;
  }
}

/**
 * Closes what whoever runs the tests left open to all its children: programs under test would
 * inherit it, and be refused for it. What Node opened itself is closed on exec.
 */
function closeInherited(): void {
  const closeOnExec = 0o2000000;
  for (const name of readdirSync('/proc/self/fd')) {
    if (Number(name) <= 2) continue;
    try {
      const info = readFileSync(`/proc/self/fdinfo/${name}`, 'latin1');
      const flags = parseInt(/^flags:\s*([0-7]+)/m.exec(info)?.[1] ?? '', 8);
      if ((flags & closeOnExec) === 0) closeSync(Number(name));
    } catch {
      // It was the descriptor of the listing.
    }
  }
}

closeInherited();

/** prctl(2). What a restart leaves behind when `ckpt` ends becomes a child of the tests. */
const PR_SET_CHILD_SUBREAPER = 36;
const WNOHANG = 1;

syscall('prctl', PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);

/** Node waits for its own children only; init would take a second or two to reap the others. */
function reap(pid: number): void {
  trySyscall('wait4', pid, 0, WNOHANG, 0);
}

/** A folder of its own, programs that are killed at the end, and the built command. */
export class Lab {
  /** The built command. */
  readonly bin = bin;
  readonly folder = mkdtempSync(join(tmpdir(), 'ckpt-live-'));
  readonly #programs: Program[] = [];
  readonly #children: ChildProcess[] = [];

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Compiles `programs/NAME.c`; the test's own need, users need no compiler. */
  compile(name: string): string {
    const out = this.path(name);
    if (!existsSync(out)) {
      const source = join(here, 'programs', `${name}.c`);
      execFileSync('gcc', ['-O1', '-mavx2', '-pthread', '-o', out, source, '-lrt']);
    }
    return out;
  }

  /** Starts a program as a job: own session, no input, output in a file. */
  start(command: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Program {
    const output = this.path(`out-${String(this.#programs.length)}.txt`);
    const fd = openSync(output, 'a');
    const child = spawn(command, args, {
      detached: true,
      stdio: ['ignore', fd, fd],
      cwd: this.folder,
      env: { ...process.env, ...env },
    });
    closeSync(fd);
    if (child.pid === undefined) throw new Error(`${command} did not start`);
    this.#children.push(child);
    return this.adopt(child.pid, output, true);
  }

  /** Takes a restarted process into care: same pid, same output. */
  adopt(pid: number, output: string, isChild = false): Program {
    const program = new Program(pid, output, isChild);
    this.#programs.push(program);
    return program;
  }

  /** Runs `ckpt` and waits for it. Blocks: what it restarts in the foreground must end by itself. */
  ckpt(...args: string[]): Finished {
    return this.run(process.execPath, [bin, ...args]);
  }

  run(command: string, args: readonly string[], input?: string | Uint8Array): Finished {
    const done = spawnSync(command, args, {
      encoding: 'utf8',
      cwd: this.folder,
      timeout: 60_000,
      maxBuffer: 1 << 28,
      ...(input === undefined ? { stdio: ['ignore', 'pipe', 'pipe'] } : { input }),
    });
    return { status: done.status, stdout: done.stdout, stderr: done.stderr };
  }

  /** Runs `ckpt`, which must succeed. */
  good(...args: string[]): Finished {
    const done = this.ckpt(...args);
    if (done.status !== 0) {
      throw new Error(
        `ckpt ${args.join(' ')}: ${String(done.status)}\n${done.stdout}${done.stderr}`,
      );
    }
    return done;
  }

  /** Starts `ckpt` without waiting. */
  background(...args: string[]): ChildProcess {
    const child = spawn(process.execPath, [bin, ...args], { cwd: this.folder });
    this.#children.push(child);
    return child;
  }

  /** Runs `ckpt`, which must succeed, and leaves time for others meanwhile. Returns what it printed. */
  async goodMeanwhile(...args: string[]): Promise<string> {
    const child = this.background(...args);
    const printed = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]?.on('data', (part) => (printed[name] += String(part)));
    }
    const status = await new Promise((resolve) => child.once('close', resolve));
    if (status !== 0) {
      const said = `${printed.stdout}${printed.stderr}`;
      throw new Error(`ckpt ${args.join(' ')}: ${String(status)}\n${said}`);
    }
    return printed.stdout;
  }

  /** Checkpoint with --kill, wait for the end, restart detached: the same program, once more. */
  async cycle(
    program: Program,
    image = `cycle-${String(program.pid)}.ckpt`,
    ...how: string[]
  ): Promise<void> {
    const pid = String(program.pid);
    await this.goodMeanwhile('checkpoint', '--kill', '--force', ...how, '-o', image, pid);
    await program.gone();
    program.restarted();
    const printed = await this.goodMeanwhile('restart', '--detach', image);
    if (printed.trim() !== pid) throw new Error(`another pid: ${printed}`);
  }

  close(): void {
    for (const program of this.#programs) program.kill();
    for (const child of this.#children) child.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Names in /proc/PID/fd, sorted by number. */
export function descriptors(pid: number): number[] {
  return readdirSync(`/proc/${String(pid)}/fd`)
    .map(Number)
    .sort((a, b) => a - b);
}

/** First of these commands that is there; undefined when none is. */
export function find(...commands: string[]): string | undefined {
  for (const command of commands) {
    const { status, stdout } = spawnSync('sh', ['-c', `command -v ${command}`], {
      encoding: 'utf8',
    });
    if (status === 0) return stdout.trim();
  }
  return undefined;
}

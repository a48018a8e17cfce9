import { spawnSync } from 'node:child_process';
import process from 'node:process';

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs?: number;
}

/** Standard output of a command that must succeed. @throws Error with all it printed. */
export function run(command: readonly string[], options: RunOptions = {}): string {
  const [file = '', ...args] = command;
  const { cwd, env, timeoutMs = 300_000 } = options;
  const done = spawnSync(file, args, {
    cwd,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    timeout: timeoutMs,
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (done.status === 0) return done.stdout;
  const end = done.error?.message ?? `exit ${String(done.status ?? done.signal)}`;
  throw new Error(`${command.join(' ')}: ${end}\n${done.stdout}${done.stderr}`);
}

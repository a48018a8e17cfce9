import { spawn } from 'node:child_process';
import { closeSync, constants, openSync, readdirSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** The program that the demonstration runs. */
export const serverPath = fileURLToPath(new URL('./server.js', import.meta.url));

/** A process that cannot be mistaken for a later one with its pid. */
export interface Server {
  readonly pid: number;
  /** Clock ticks after boot, see proc_pid_stat(5). */
  readonly started: string;
}

/** What it answers. */
export interface Answer {
  readonly pid: number;
  readonly answers: number;
  readonly primes: number;
}

function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

/** Descriptors of whoever started us, which every child would have too. */
export function inheritedDescriptors(): readonly number[] {
  const fds = readdirSync('/proc/self/fd').map(Number);
  return fds.filter((fd) => {
    if (fd < 3) return false;
    try {
      const info = readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1');
      const flags = /^flags:\s*([0-7]+)/m.exec(info)?.[1] ?? '0';
      return (Number.parseInt(flags, 8) & 0o2000000) === 0; // O_CLOEXEC
    } catch {
      return false;
    }
  });
}

/**
 * Starts the server with nothing of ours open. A shell is its parent, and waits for it: Node would
 * wait for what ptrace waits for, and the first process of a system may take seconds to.
 */
export function startServer(folder: string, port: number, signal: AbortSignal): Promise<Server> {
  const job = '"$0" "$1" "$2" > server.log 2>&1 < /dev/null & echo $!; exec > /dev/null; wait';
  const nothing = openSync('/dev/null', constants.O_RDWR);
  const stdio: ('ignore' | 'pipe' | number)[] = ['ignore', 'pipe', 'ignore'];
  for (const fd of inheritedDescriptors()) stdio[fd] = nothing;
  for (let fd = 0; fd < stdio.length; fd++) stdio[fd] ??= 'ignore';
  const words = ['-c', job, process.execPath, serverPath, String(port)];
  const shell = spawn('sh', words, { cwd: folder, stdio, detached: true, signal });
  closeSync(nothing);
  return new Promise((resolve, reject) => {
    shell.once('error', reject);
    shell.stdout?.once('data', (line: Buffer) => {
      const pid = Number(line.toString().trim());
      resolve({ pid, started: startTime(pid) ?? '' });
    });
  });
}

/** Whether the server is there still, be it as a zombie. */
function isThere({ pid, started }: Server): boolean {
  return startTime(pid) === started;
}

/** Kills that very process, if it is there. */
export function killServer(server: Server): void {
  if (isThere(server)) process.kill(server.pid, 'SIGKILL');
}

/** Waits until its pid is free again. */
export async function gone(server: Server, signal: AbortSignal): Promise<void> {
  while (isThere(server)) await delay(2, undefined, { signal });
}

function askOnce(port: number, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = get({ port, host: '127.0.0.1', agent: false, signal }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => (text += part));
      response.on('end', () => {
        resolve(JSON.parse(text) as Answer);
      });
      response.on('error', reject);
    });
    request.on('error', reject);
  });
}

/** Asks until the server answers. */
export async function ask(port: number, signal: AbortSignal): Promise<Answer> {
  for (;;) {
    try {
      return await askOnce(port, signal);
    } catch {
      signal.throwIfAborted();
      await delay(2, undefined, { signal });
    }
  }
}

/** A port that nobody listens on. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (typeof address === 'object' && address !== null) resolve(address.port);
        else reject(new Error('no port'));
      });
    });
  });
}

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { createEngine, type Engine } from '@ckpt/engine';
import { CkptError } from '@ckpt/format';
import { createImage, openImage } from '@ckpt/io/node';
import { demoServer } from '../demo-server.ts';
import { exitStatus, explain } from '../failure.ts';
import { Table } from '../table.ts';
import { sizeText, style, timeText } from '../terminal.ts';

interface Options {
  readonly keep?: true;
  readonly json?: true;
}

/** What is missing for the demonstration; undefined when nothing is. */
function missing(): string | undefined {
  if (process.platform !== 'linux') return `Linux is needed; this is ${process.platform}`;
  if (process.arch !== 'x64') return `x86-64 is needed, for now; this is ${process.arch}`;
  return undefined;
}

interface Answer {
  readonly pid: number;
  readonly answers: number;
  readonly primes: number;
}

/** Asks until the server answers. Milliseconds are counted by the caller. */
async function ask(port: number, timeoutMs = 20_000): Promise<Answer> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    try {
      const headers = { connection: 'close' };
      const response = await fetch(`http://127.0.0.1:${port}/`, { headers });
      return (await response.json()) as Answer;
    } catch (error) {
      if (performance.now() > end) throw error;
      await delay(1);
    }
  }
}

/** The server is nobody's child here, so that Node does not wait for what ptrace waits for. */
function start(folder: string, port: number): number {
  const job = `"$0" "$1" ${port} > "$2" 2>&1 < /dev/null & echo $!`;
  const script = join(folder, 'server.mjs');
  const { stdout } = spawnSync(
    'setsid',
    ['sh', '-c', job, process.execPath, script, join(folder, 'server.log')],
    {
      encoding: 'utf8',
    },
  );
  return Number(stdout.trim());
}

async function freePort(): Promise<number> {
  const { createServer } = await import('node:net');
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
  });
}

async function timed<T>(work: () => T | Promise<T>): Promise<{ value: T; ms: number }> {
  const begin = performance.now();
  const value = await work();
  return { value, ms: performance.now() - begin };
}

async function gone(pid: number): Promise<void> {
  for (let round = 0; round < 2000; round++) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      if (stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z')) return;
    } catch {
      return;
    }
    await delay(2);
  }
}

interface Story {
  readonly coldMs: number;
  readonly frozenMs: number;
  readonly checkpointMs: number;
  readonly imageBytes: number;
  readonly restartMs: number;
  readonly answerMs: number;
  readonly pid: number;
  readonly before: Answer;
  readonly after: Answer;
}

async function play(engine: Engine, folder: string, image: string, port: number): Promise<Story> {
  const cold = await timed(async () => {
    const pid = start(folder, port);
    return { pid, answer: await ask(port) };
  });
  const { pid } = cold.value;
  for (let round = 0; round < 20; round++) await ask(port);
  const before = await ask(port);
  await delay(50); // its last connection closes
  const made = await timed(() => {
    const target = createImage(image, { force: true });
    try {
      const result = engine.checkpoint(pid, target.file);
      target.commit();
      return result;
    } catch (error) {
      target.abort();
      throw error;
    }
  });
  process.kill(pid, 'SIGKILL');
  await gone(pid);
  const back = await timed(() => {
    const file = openImage(image);
    try {
      return engine.restart(0, file);
    } finally {
      file.close();
    }
  });
  const answered = await timed(() => ask(port));
  return {
    coldMs: cold.ms,
    frozenMs: made.value.frozenMs,
    checkpointMs: made.ms,
    imageBytes: statSync(image).size,
    restartMs: back.ms,
    answerMs: back.ms + answered.ms,
    pid: back.value.running.pid,
    before,
    after: answered.value,
  };
}

function tell(story: Story): void {
  const table = new Table(['step', 'time', '']);
  const { before, after } = story;
  table.add(['cold start', timeText(story.coldMs), 'from nothing to the first answer']);
  table.add(['checkpoint', timeText(story.checkpointMs), `${sizeText(story.imageBytes)} written`]);
  table.add(['  frozen', timeText(story.frozenMs), 'so long it stood still']);
  table.add(['kill -9', '', `process ${before.pid} is gone`]);
  table.add(['restart', timeText(story.restartMs), `process ${story.pid} again`]);
  table.add([
    style.bold('restart to answer'),
    style.bold(timeText(story.answerMs)),
    `cold start takes ${(story.coldMs / story.answerMs).toFixed(1)} times as long`,
  ]);
  console.log(table.text());
  console.log(
    `\nIt had answered ${before.answers} times before, and counts on: this was answer ${after.answers}.`,
  );
}

function byHand(folder: string, port: number): void {
  const ckpt = fileURLToPath(new URL('../../bin/ckpt.js', import.meta.url));
  console.log(`
By hand (ckpt is ${ckpt}):
  node ${folder}/server.mjs ${port} > server.log 2>&1 < /dev/null &
  curl http://127.0.0.1:${port}/
  ckpt checkpoint $! --kill -o server.ckpt
  ckpt inspect server.ckpt
  ckpt restart --detach server.ckpt
  curl http://127.0.0.1:${port}/`);
}

/** The same in a user and pid namespace of its own, where whoever starts it is root. */
function inNamespace(argv: readonly string[]): void {
  console.error('not root: going on in a user and pid namespace of its own');
  const own = ['--user', '--map-root-user', '--pid', '--fork', '--mount-proc'];
  const { status, error } = spawnSync('unshare', [...own, process.execPath, ...argv], {
    stdio: 'inherit',
    env: { ...process.env, CKPT_DEMO_NAMESPACE: '1' },
  });
  if (error !== undefined || status !== 0) {
    console.error(
      'ckpt: it cannot run here: user namespaces, or unshare(1), are missing; as root it can',
    );
    process.exitCode = exitStatus.failed;
  }
}

export async function demo(options: Options): Promise<void> {
  const lack = missing();
  if (lack !== undefined) {
    console.error(`ckpt: the demonstration cannot run here: ${lack}`);
    process.exitCode = exitStatus.failed;
    return;
  }
  if (process.geteuid?.() !== 0 && process.env.CKPT_DEMO_NAMESPACE === undefined) {
    inNamespace(process.argv.slice(1));
    return;
  }
  const { createLinuxHost } = await import('@ckpt/linux/host');
  const folder = mkdtempSync(join(tmpdir(), 'ckpt-demo-'));
  writeFileSync(join(folder, 'server.mjs'), demoServer);
  const port = await freePort();
  let story: Story | undefined;
  try {
    if (!options.json) {
      console.log('A Node HTTP server is started, warmed, checkpointed, killed, and restarted.\n');
    }
    story = await play(createEngine(createLinuxHost()), folder, join(folder, 'server.ckpt'), port);
    if (options.json) console.log(JSON.stringify({ ok: true, ...story }));
    else tell(story);
    if (!options.json) byHand(options.keep ? folder : '/tmp/ckpt-demo', port);
  } catch (error) {
    if (!(error instanceof CkptError)) throw error;
    console.error(explain(error));
    process.exitCode = exitStatus.failed;
  } finally {
    stopServer(port, story?.pid);
    if (!options.keep) rmSync(folder, { recursive: true, force: true });
  }
}

function stopServer(port: number, pid: number | undefined): void {
  // Whatever step failed, no server stays behind: its command line has the port.
  spawnSync('pkill', ['-KILL', '-f', `server.mjs ${port}$`]);
  if (pid === undefined) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone.
  }
}

export function addDemo(program: Command): void {
  program
    .command('demo')
    .summary('see it work: a Node server there and back')
    .description(
      'Starts a Node HTTP server, warms it, checkpoints it, kills it, restarts it and asks it again;\n' +
        'shows what each step took. Without root: in a user and pid namespace of its own.',
    )
    .option('--keep', 'leave the server script and the image behind')
    .option('--json', 'print the figures as JSON')
    .action(demo);
}

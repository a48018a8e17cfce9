import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEngine } from '@ckpt/engine';
import { CkptError, escapeText } from '@ckpt/format';
import { systemError } from '@ckpt/io/node';
import { createLinuxHost } from '@ckpt/linux/host';
import { abilities, choosesPids, missing, type Platform } from '../check/machine.ts';
import { exitStatus, type Cli } from '../cli.ts';
import { timeText } from '../quantities.ts';
import { commandsByHand } from './by-hand.ts';
import { runInside } from './namespace.ts';
import { freePort } from './server-process.ts';
import { endServers, play, type Belongings, type Story } from './story.ts';

export interface DemoOptions {
  readonly keep?: true;
  readonly json?: true;
  /** Folder to work in: it runs in namespaces of its own, made by another `ckpt demo`. */
  readonly within?: string;
}

/** Milliseconds after which it gives up. */
const longest = 50_000;

/** Longest time the server may stand still, milliseconds. */
const frozenMax = 10_000;

/** Column of the times. */
const nameWidth = 14;
const timeWidth = 8;

/** Calls `clean` when a signal ends this process. Returns how to stop that. */
function onDeath(clean: () => void): () => void {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const end = (signal: NodeJS.Signals) => {
    stop();
    clean();
    process.kill(process.pid, signal);
  };
  const stop = () => {
    for (const signal of signals) process.off(signal, end);
  };
  for (const signal of signals) process.on(signal, end);
  return stop;
}

function tellEnd(cli: Cli, { before, after }: Story, port: number, privileged: boolean): void {
  const { bold } = cli.out;
  const { answers, pid } = after;
  cli.print(
    `\nIt had given ${before.answers} answers when it was killed; this was its answer ${answers}, ` +
      `as process ${pid}.\n`,
  );
  const commands = commandsByHand(port, privileged);
  cli.print(`\n${bold('By hand, in a shell:')}\n\n${commands.map((line) => `${line}\n`).join('')}`);
}

/** The story itself, with its servers ended whatever happens. */
async function perform(cli: Cli, belongings: Belongings, options: DemoOptions): Promise<void> {
  const signal = AbortSignal.timeout(longest);
  const port = await freePort();
  const say = options.json ? () => undefined : cli.print;
  say('A Node HTTP server is started, warmed, checkpointed, killed and restarted:\n\n');
  const step = (name: string, ms: number, remark: string) => {
    const time = timeText(ms).padStart(timeWidth);
    say(`  ${name.padEnd(nameWidth)}${time}  ${cli.out.dim(remark)}\n`);
  };
  try {
    const engine = createEngine(createLinuxHost(), { deadlineMs: frozenMax });
    const story = await play({ engine, belongings, port, signal, step });
    if (options.json) cli.print(`${JSON.stringify({ ok: true, ...story })}\n`);
    else tellEnd(cli, story, port, options.within === undefined);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    endServers(belongings);
    await belongings.running?.wait();
  }
}

/** Starts this command again in namespaces of its own, in that folder. */
async function inNamespaces(cli: Cli, folder: string, options: DemoOptions): Promise<void> {
  if (!options.json) {
    cli.print('Pids cannot be chosen here: it happens in a user and pid namespace of its own.\n');
  }
  const keep = options.keep ? ['--keep'] : [];
  const json = options.json ? ['--json'] : [];
  const inside = runInside(cli, ['demo', '--within', folder, ...keep, ...json]);
  const stop = onDeath(inside.kill);
  cli.status = await inside.status;
  stop();
}

function tellMissing(cli: Cli, lacks: readonly string[], { json }: DemoOptions): void {
  cli.status = exitStatus.failed;
  if (json) cli.say(`${JSON.stringify({ ok: false, errno: null, missing: lacks })}\n`);
  else {
    const list = lacks.map((lack) => `  ${escapeText(lack)}\n`);
    cli.say(`ckpt: the demonstration cannot run here; what is missing:\n${list.join('')}`);
  }
}

/** A failure of the demonstration's own doing: too slow, or setsid(1) is missing. */
function asFailure(error: unknown): unknown {
  if (error instanceof Error && error.name === 'TimeoutError') {
    return new CkptError('ETIMEDOUT', `the demonstration takes longer than ${longest} ms`);
  }
  return systemError(error, 'the demonstration');
}

/** @param platform What the machine is, for tests. */
export async function demo(
  cli: Cli,
  options: DemoOptions,
  platform: Platform = process,
): Promise<void> {
  const inside = options.within !== undefined;
  const found = abilities(platform, () => createLinuxHost().system());
  const here = choosesPids(found);
  const lacks = [
    ...missing(found),
    ...(inside && !here ? ['choosing pids: not even in a namespace of its own'] : []),
  ];
  if (lacks.length > 0) {
    tellMissing(cli, lacks, options);
    return;
  }
  const folder = options.within ?? mkdtempSync(join(tmpdir(), 'ckpt-demo-'));
  const belongings: Belongings = { folder };
  const clean = () => {
    endServers(belongings);
    if (!inside && !options.keep) rmSync(folder, { recursive: true, force: true });
  };
  const stop = onDeath(clean);
  try {
    if (here) await perform(cli, belongings, options);
    else await inNamespaces(cli, folder, options);
  } catch (error) {
    throw asFailure(error);
  } finally {
    clean();
    stop();
  }
  if (options.keep && !inside) {
    const say = options.json ? cli.say : cli.print;
    say(`\nKept: ${folder} with server.ckpt and server.log\n`);
  }
}

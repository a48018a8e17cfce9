import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Engine, Running } from '@ckpt/engine';
import { createImage, openImage } from '@ckpt/io/node';
import { sizeText } from '../quantities.ts';
import { ask, gone, killServer, startServer, type Answer, type Server } from './server-process.ts';

/** What was found out, step by step. Times in milliseconds. */
export interface Story {
  /** From nothing to the first answer. */
  readonly coldMs: number;
  readonly checkpointMs: number;
  readonly frozenMs: number;
  readonly imageBytes: number;
  readonly restartMs: number;
  /** From the beginning of the restart to the first answer. */
  readonly answerMs: number;
  /** The last answer before, and the first one after. */
  readonly before: Answer;
  readonly after: Answer;
}

/** What is there at any moment, and must not stay. */
export interface Belongings {
  readonly folder: string;
  server?: Server;
  running?: Running;
}

/** Where the story happens. */
export interface Stage {
  readonly engine: Engine;
  readonly belongings: Belongings;
  readonly port: number;
  /** Ends it when it takes too long. */
  readonly signal: AbortSignal;
  /** Is told each step when it is done. */
  readonly step: (name: string, ms: number, remark: string) => void;
}

/** Milliseconds for the last connection to close: open ones are not carried. */
const closingMs = 50;

function checkpoint({ engine }: Stage, pid: number, image: string) {
  const target = createImage(image, { force: true });
  try {
    const made = engine.checkpoint(pid, target.file);
    target.commit();
    return made;
  } catch (error) {
    target.abort();
    throw error;
  }
}

function restart({ engine }: Stage, image: string): Running {
  const file = openImage(image);
  try {
    return engine.restart(0, file).running;
  } finally {
    file.close();
  }
}

const since = (begin: number) => performance.now() - begin;

/** A server is started, warmed, checkpointed, killed, restarted and asked again. */
export async function play(stage: Stage): Promise<Story> {
  const { belongings, port, signal, step } = stage;
  const image = join(belongings.folder, 'server.ckpt');
  let begin = performance.now();
  const server = await startServer(belongings.folder, port, signal);
  belongings.server = server;
  await ask(port, signal);
  const coldMs = since(begin);
  step('cold start', coldMs, 'from nothing to the first answer');

  let before: Answer | undefined;
  begin = performance.now();
  for (let round = 0; round < 20; round++) before = await ask(port, signal);
  if (before === undefined) throw new Error('the server was not asked');
  step('warm up', since(begin), `it has given ${before.answers} answers`);
  await delay(closingMs);

  begin = performance.now();
  const { frozenMs, length: imageBytes } = checkpoint(stage, server.pid, image);
  const checkpointMs = since(begin);
  step('checkpoint', checkpointMs, `${sizeText(imageBytes)} written and synced`);
  step('  frozen', frozenMs, 'of that: so long it stood still');

  begin = performance.now();
  killServer(server);
  await gone(server, signal);
  delete belongings.server;
  step('kill -9', since(begin), `process ${server.pid} is gone`);

  begin = performance.now();
  const running = restart(stage, image);
  belongings.running = running;
  const restartMs = since(begin);
  const after = await ask(port, signal);
  const answerMs = since(begin);
  step('restart', restartMs, `process ${running.pid} is back`);
  step(
    '  to answer',
    answerMs,
    `a cold start takes ${(coldMs / answerMs).toFixed(1)} times as long`,
  );
  return { coldMs, checkpointMs, frozenMs, imageBytes, restartMs, answerMs, before, after };
}

/** Ends what is running, that and nothing else; idempotent, and synchronous for signal handlers. */
export function endServers({ server, running }: Belongings): void {
  if (server !== undefined) killServer(server);
  if (running === undefined) return;
  try {
    // Our own child, not waited for yet: the pid is nobody else's.
    process.kill(running.pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

import { Agent } from 'node:http';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { nodeBinary } from '../support/nodes.ts';
import { ask, connectionsGone } from './http.ts';
import type { Lab } from './lab.ts';

const script = fileURLToPath(new URL('programs/server.mjs', import.meta.url));

interface Answer {
  readonly requests: number;
  readonly ticks: number;
  readonly pid: number;
  readonly sum: number;
}

/** Load of one round: concurrent clients, each answer checked; no connection is open at its end. */
async function load(port: number, clients: number, each: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  await Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      for (let n = 0; n < each; n++) {
        const path = ['/', '/zlib', '/file', '/timer', '/worker'][(client + n) % 5] ?? '/';
        const text = await ask(port, path, agent);
        if (path === '/') expect((JSON.parse(text) as Answer).sum).toBe(49_995_000);
        else expect(text).toBe('true');
      }
    }),
  );
  agent.destroy();
  await connectionsGone(port);
}

export type NodeVersion = 20 | 22 | 24 | 26;

/** Node 20 is what this runs on, or whatever runs it in its place. */
function binary(version: NodeVersion): string {
  return version === 20 ? process.execPath : nodeBinary(version);
}

/** Checkpoint, kill, restart, so many times, with load between; the server counts every request. */
export async function serveThrough(lab: Lab, version: NodeVersion, rounds: number): Promise<void> {
  const server = lab.start(binary(version), [script]);
  const [, found] = await server.saw(/listening (\d+)/);
  const port = Number(found);
  let last = 0;
  for (let round = 0; round < rounds; round++) {
    await load(port, 8, 5);
    await lab.cycle(server);
    const answer = JSON.parse(await ask(port)) as Answer;
    expect(answer.pid).toBe(server.pid);
    expect(answer.sum).toBe(49_995_000);
    expect(answer.requests).toBeGreaterThan(last);
    last = answer.requests;
  }
  expect(last).toBe(rounds * 41);
  const from = server.text().length;
  server.kill('SIGUSR2');
  await server.saw(new RegExp(`usr2 after ${String(last)}`), from);
  await load(port, 8, 5);
  server.kill('SIGTERM');
  await server.gone();
}

/** Checkpoints that leave it running, with load between. */
export async function serveOn(lab: Lab, version: NodeVersion, times: number): Promise<void> {
  const server = lab.start(binary(version), [script]);
  const [, found] = await server.saw(/listening (\d+)/);
  const port = Number(found);
  for (let round = 0; round < times; round++) {
    lab.good('checkpoint', '--force', '-o', 'server.ckpt', String(server.pid));
    await load(port, 4, 4);
  }
  server.kill();
  await server.gone();
}

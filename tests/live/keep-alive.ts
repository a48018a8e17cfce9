import { Agent, get } from 'node:http';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { Lab } from './lab.ts';
import { cycle, good } from './unblocked.ts';

const script = fileURLToPath(new URL('programs/server.mjs', import.meta.url));

interface Clients {
  readonly agent: Agent;
  asked: number;
  isOver: boolean;
}

function ask(port: number, path: string, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ port, path, host: '127.0.0.1', agent }, (response) => {
      let text = '';
      response.on('data', (part) => (text += String(part)));
      response.on('end', () => {
        resolve(text);
      });
    }).on('error', reject);
  });
}

/** Asks all the time, and checks each answer. */
async function load(port: number, clients: Clients): Promise<void> {
  for (let n = 0; !clients.isOver; n++) {
    const path = ['/', '/zlib', '/timer'][n % 3] ?? '/';
    const text = await ask(port, path, clients.agent);
    clients.asked++;
    if (path === '/') expect(JSON.parse(text)).toMatchObject({ sum: 49_995_000 });
    else expect(text).toBe('true');
  }
}

/**
 * A Node server is asked over four connections all the time, while it is checkpointed and left
 * running, and through rounds of kill and restart: each request is answered once, on its connection.
 */
export async function answersThrough(lab: Lab, left: number, rounds: number): Promise<void> {
  const server = lab.start(process.execPath, [script]);
  const [, found = ''] = await server.saw(/listening (\d+)/);
  const port = Number(found);
  let opened = 0;
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const plain = agent.createConnection.bind(agent);
  agent.createConnection = (...args) => {
    opened++;
    return plain(...args);
  };
  const clients: Clients = { agent, asked: 0, isOver: false };
  const all = Promise.all([1, 2, 3, 4].map(() => load(port, clients)));
  const pid = String(server.pid);
  for (let n = 0; n < left; n++) await good(lab, 'checkpoint', '--force', '-o', 'on.ckpt', pid);
  for (let n = 0; n < rounds; n++) await cycle(lab, server, 'round.ckpt');
  clients.isOver = true;
  await all;
  const last = JSON.parse(await ask(port, '/', agent)) as { requests: number };
  expect(last.requests).toBe(clients.asked + 1);
  expect(opened).toBe(4);
  agent.destroy();
  server.kill();
}

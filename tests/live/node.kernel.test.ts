import { readFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { nodeBinary } from '../support/nodes.ts';
import { Lab } from './lab.ts';

const lab = new Lab();
afterAll(() => {
  lab.close();
});

const script = fileURLToPath(new URL('programs/server.mjs', import.meta.url));

function ask(port: number, path = '/', agent?: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ port, path, host: '127.0.0.1', agent: agent ?? false }, (response) => {
      let text = '';
      response.on('data', (part) => (text += String(part)));
      response.on('end', () => {
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`${String(response.statusCode)}: ${text}`));
      });
    }).on('error', reject);
  });
}

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
        const path = ['/', '/zlib', '/file', '/timer'][(client + n) % 4] ?? '/';
        const text = await ask(port, path, agent);
        if (path === '/') expect((JSON.parse(text) as Answer).sum).toBe(49_995_000);
        else expect(text).toBe('true');
      }
    }),
  );
  agent.destroy();
  await connectionsGone(port);
}

/** The server has noticed the end of all connections: no established socket is left at its port. */
async function connectionsGone(port: number): Promise<void> {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  const open = () =>
    readFileSync('/proc/net/tcp', 'latin1')
      .split('\n')
      .some((line) => new RegExp(`^ *\\d+: \\S+:${hexPort} \\S+ 0[18]`).test(line));
  for (let n = 0; n < 200 && open(); n++) await new Promise((r) => setTimeout(r, 10));
}

/** Node 20 is what this runs on, or whatever runs it in its place. */
function binary(version: 20 | 24): string {
  return version === 20 ? process.execPath : nodeBinary(version);
}

describe.each([20, 24] as const)('an HTTP server on Node %i', (version) => {
  test(
    'serves on after 20 rounds of checkpoint, kill, restart under load between them',
    { timeout: 180_000 },
    async () => {
      const server = lab.start(binary(version), [script]);
      const [, found] = await server.saw(/listening (\d+)/);
      const port = Number(found);
      let last = 0;
      for (let round = 0; round < 20; round++) {
        await load(port, 8, 5);
        await lab.cycle(server);
        const answer = JSON.parse(await ask(port)) as Answer;
        expect(answer.pid).toBe(server.pid);
        expect(answer.sum).toBe(49_995_000);
        expect(answer.requests).toBeGreaterThan(last);
        last = answer.requests;
      }
      expect(last).toBe(20 * 41);
      const from = server.text().length;
      server.kill('SIGUSR2');
      await server.saw(/usr2 after 820/, from);
      await load(port, 8, 5);
      server.kill('SIGTERM');
      await server.gone();
    },
  );

  test('never notices that it is checkpointed', { timeout: 60_000 }, async () => {
    const server = lab.start(binary(version), [script]);
    const [, found] = await server.saw(/listening (\d+)/);
    const port = Number(found);
    for (let round = 0; round < 5; round++) {
      lab.good('checkpoint', '--force', '-o', 'server.ckpt', String(server.pid));
      await load(port, 4, 4);
    }
    server.kill();
  });
});

import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { NetfilterSocket } from '../../packages/linux/src/host/netfilter-socket.ts';
import type { Lab, Program } from './lab.ts';

const program = (name: string) => fileURLToPath(new URL(`programs/${name}.mjs`, import.meta.url));

/** Both sides of a connection on which data never rests. */
export interface Echo {
  readonly server: Program;
  readonly client: Program;
}

/** @param host Where the server listens. @param to Where the client finds it. */
export async function startEcho(lab: Lab, mib: number, host: string, to = host): Promise<Echo> {
  const server = lab.start(process.execPath, [program('echo'), host]);
  const [, port = ''] = await server.saw(/listening (\d+)/);
  const client = lab.start(process.execPath, [program('echo-client'), to, port, String(mib)]);
  await client.saw(/progress 2\n/);
  return { server, client };
}

/** A server that is its own client, over a connection whose both ends it has. */
export async function startSelf(lab: Lab, host: string): Promise<Program> {
  const both = lab.start(process.execPath, [program('echo'), host, 'self']);
  await both.saw(/progress 2\n/);
  return both;
}

/**
 * Bytes go to and fro. The other end of one that was dead for seconds may wait as long again before it
 * sends once more.
 */
export async function goesOn(client: Program): Promise<void> {
  const from = client.text().length;
  await client.saw(/progress/, from, 40_000);
}

const done = /done (\d+) (\d+) (\w+)/;
const served = /served (\d+) (\w+)/;

/** Both sides end in good order; not a byte is lost or doubled. */
export async function endEcho({ server, client }: Echo, mib: number): Promise<void> {
  client.kill('SIGUSR2');
  const [, sent, received, hash] = await client.saw(done, 0, 60_000);
  const [, bytes, sum] = await server.saw(served);
  expect(Number(sent)).toBeGreaterThanOrEqual(mib << 20);
  expect([received, bytes, sum]).toEqual([sent, sent, hash]);
  expect(client.text() + server.text()).not.toMatch(/BAD|broken/);
  server.kill();
  client.kill();
}

/** Names of packet filters that ckpt has made for a process and that are still there. */
export function filtersOf(pid: number): string[] {
  const socket = new NetfilterSocket();
  const names = socket.names().filter((name) => name.startsWith(`ckpt-${String(pid)}-`));
  socket.close();
  return names;
}

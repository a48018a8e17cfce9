import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { httpClients, type Clients } from './clients.ts';
import { ask } from './http.ts';
import type { Lab, Program } from './lab.ts';
import { cycle, good } from './unblocked.ts';

const script = fileURLToPath(new URL('programs/server.mjs', import.meta.url));

/** Checkpoints that leave a server running, then rounds of kill and restart, while it is asked. */
export async function busyThrough(
  lab: Lab,
  server: Program,
  clients: Clients,
  { left, rounds }: { readonly left: number; readonly rounds: number },
): Promise<number> {
  const image = `busy-${server.pid}.ckpt`;
  const pid = String(server.pid);
  for (let n = 0; n < left; n++) await good(lab, 'checkpoint', '--force', '-o', image, pid);
  for (let n = 0; n < rounds; n++) await cycle(lab, server, image);
  return clients.end();
}

/**
 * A Node server is asked over four connections all the time, while it is checkpointed and left
 * running, and through rounds of kill and restart: each request is answered once, on its connection.
 */
export async function answersThrough(
  lab: Lab,
  left: number,
  rounds: number,
  node = process.execPath,
): Promise<void> {
  const server = lab.start(node, [script]);
  const [, found = ''] = await server.saw(/listening (\d+)/);
  const port = Number(found);
  const clients = httpClients(port, ['/', '/zlib', '/timer', '/worker', '/file'], (path, text) => {
    if (path === '/') expect(JSON.parse(text)).toMatchObject({ sum: 49_995_000 });
    else expect([path, text]).toEqual([path, 'true']);
  });
  const asked = await busyThrough(lab, server, clients, { left, rounds });
  const last = JSON.parse(await ask(port)) as { requests: number };
  expect(last.requests).toBe(asked + 1);
  server.kill();
}
